"""The journals that are here against what is known of them elsewhere: which are missing, and what each fits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemind.domain.audit.checkpoints import Checkpoint
from edgemind.domain.audit.verification import Verified
from edgemind.entrypoints.audit.places import Place, stored_anchors
from edgemind.services.audit.verify_journal import anchors_of, verify_journal
from edgemind.settings import Settings, Store

NO_ANCHOR = "no anchor was compared: if it was cut off, or written anew as a whole, that is not noticed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`missing` journals were anchored and are not here. Where it cannot be known which there should be, they are not
    looked for. `aside` are those that did not fit when a controller started: they are not looked into.
    `damaged_anchors` are rows of anchor files that cannot be used."""

    place: Place
    sites: Sequence[str]
    anchors: Sequence[Checkpoint]
    missing: Sequence[str] = ()
    looked_for_missing: bool = True
    aside: Sequence[str] = ()
    damaged_anchors: Sequence[str] = ()

    def verify(self, site: str, progress: Callable[[int], None] = lambda _: None) -> Verified:
        return verify_journal(self.place.files, site, anchors_of(self.anchors, site), self.place.keys, progress)

    def document(self) -> dict[str, object]:
        """What is to be said beside what each journal holds."""
        return {
            "missing": list(self.missing),
            "looked_for_missing": self.looked_for_missing,
            "aside": list(self.aside),
            "damaged_anchors": list(self.damaged_anchors),
        }

    def lines(self) -> list[str]:
        """The same, for people."""
        lines = [f"{site}: MISSING: it was anchored, and its journal is not here" for site in self.missing]
        lines += [
            f"{name}: PUT ASIDE: it did not fit what was anchored of it, and is not looked into here: "
            f"--journal {self.place.directory / name} does"
            for name in self.aside
        ]
        lines += self.damaged_anchors
        if not self.looked_for_missing:
            lines.append("Whether others are missing was not looked at: --anchors FILE tells which there should be.")
        return lines


def compare(place: Place, only: str | None, files: Sequence[Path]) -> Comparison:
    """With the anchors in `files`, or else those in the state store. WrongUsage if there is nothing to look at."""
    # Imported here: most verifications read none.
    from edgemind.bootstrap.audit import read_anchor_file

    read = [read_anchor_file(path) for path in files]
    damaged = [row for one in read for row in one.damaged]
    stored = stored_anchors(place.settings) if not files else None
    anchors = stored or _newest_journals([anchor for one in read for anchor in one.checkpoints])
    if place.files.alone:
        (site,) = place.sites(only)
        return Comparison(place, [site], _of_this_journal(place, site, anchors), damaged_anchors=damaged)
    here = [site for site in place.files.sites() if only in {None, site}]
    looked = bool(files) or (stored is not None and place.settings is not None and not is_shared(place.settings))
    anchored = {one.site for one in anchors if only in {None, one.site}}
    missing = sorted(anchored - set(here)) if looked else []
    sites = here if missing else place.sites(only)
    aside = [name for site in (*sites, *missing) for name in place.files.aside(site)]
    return Comparison(place, sites, anchors, missing, looked or only is not None, aside, damaged)


def is_shared(settings: Settings) -> bool:
    """Whether the store also holds the anchors of journals on other machines."""
    return settings.state.store is not Store.JSON


def _newest_journals(anchors: Sequence[Checkpoint]) -> list[Checkpoint]:
    """A file keeps those of journals that went before, too: the newest of a site says which one it is about."""
    newest: dict[str, Checkpoint] = {}
    for one in anchors:
        if one.site not in newest or one.at_ms > newest[one.site].at_ms:
            newest[one.site] = one
    return [one for one in anchors if one.chain == newest[one.site].chain]


def _of_this_journal(place: Place, site: str, anchors: Sequence[Checkpoint]) -> Sequence[Checkpoint]:
    """One that was put aside is known to be another than what was anchored since."""
    if not place.files.put_aside:
        return anchors
    chain = next((record.chain for record in place.files.records(site)), None)
    return [one for one in anchors if one.chain == chain]
