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
    looked for. `aside` are those that did not fit when a controller started: they are not looked into."""

    place: Place
    sites: Sequence[str]
    missing: Sequence[str]
    looked_for_missing: bool
    aside: Sequence[str]
    anchors: Sequence[Checkpoint]
    from_files: bool

    def verify(self, site: str, progress: Callable[[int], None] = lambda _: None) -> Verified:
        return verify_journal(self.place.files, site, self._anchors_of(site), self.place.keys, progress)

    def lines(self) -> list[str]:
        """What is to be said beside what each journal holds."""
        lines = [f"{site}: MISSING: it was anchored, and its journal is not here" for site in self.missing]
        lines += [
            f"{name}: PUT ASIDE: it did not fit what was anchored of it, and is not looked into here: "
            f"--journal {self.place.directory / name} does"
            for name in self.aside
        ]
        if not self.looked_for_missing:
            lines.append(
                "Whether others are missing was not looked at: --anchors FILE names those that should be here."
            )
        return lines

    def _anchors_of(self, site: str) -> list[Checkpoint]:
        found = anchors_of(self.anchors, site)
        if not self.from_files:
            return found
        # A file keeps those of journals that went before, too: the newest of them says which one it is about.
        newest = max(found, key=lambda one: one.at_ms, default=None)
        return [one for one in found if newest is not None and one.chain == newest.chain]


def compare(place: Place, only: str | None, files: Sequence[Path]) -> Comparison:
    """With the anchors in `files`, or else those in the state store. WrongUsage if there is nothing to look at."""
    stored = _read(files) if files else stored_anchors(place.settings)
    anchors = stored or []
    here = [site for site in place.files.sites() if only in {None, site}]
    if place.files.alone:
        return Comparison(place, place.sites(only), [], True, [], anchors, bool(files))
    looked = stored is not None and (bool(files) or (place.settings is not None and not is_shared(place.settings)))
    anchored = {one.site for one in anchors if only in {None, one.site}}
    missing = sorted(anchored - set(here)) if looked else []
    sites = here if missing else place.sites(only)
    aside = [name for site in (*sites, *missing) for name in place.files.aside(site)]
    return Comparison(place, sites, missing, looked or only is not None, aside, anchors, bool(files))


def is_shared(settings: Settings) -> bool:
    """Whether the store also holds the anchors of journals on other machines."""
    return settings.state.store is not Store.JSON


def _read(files: Sequence[Path]) -> list[Checkpoint]:
    # Imported here: most verifications read none.
    from edgemind.bootstrap.audit import read_anchor_file

    return [one for path in files for one in read_anchor_file(path)]
