"""`edgemind audit verify`: whether the journals are what was written, and all of it."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from edgemind.domain.audit.checkpoints import Checkpoint
from edgemind.domain.audit.verification import Verified
from edgemind.entrypoints.audit.moments import moment
from edgemind.entrypoints.audit.places import (
    Place,
    config_option,
    journal_option,
    open_place,
    output_option,
    site_option,
    stored_anchors,
    wants_json,
)
from edgemind.entrypoints.exit_codes import exit_codes
from edgemind.services.audit.verify_journal import anchors_of, verify_journal
from edgemind.settings import Store

EXIT_CODES = (
    "Exit codes: 0 every journal is what was written; 1 one is not (its first bad record is named), or the anchors "
    "cannot be read; 2 wrong usage or configuration."
)
PROGRESS_FROM_BYTES = 64 * 1024 * 1024
"""Below it verifying is over before anybody wonders."""


@click.command("verify", epilog=EXIT_CODES)
@config_option
@journal_option
@click.option(
    "--anchors", "anchor_files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Checkpoints in a file, as audit.anchor_file has them, instead of those in the state store. May be repeated.",
)  # fmt: skip
@site_option
@output_option
def verify(
    config: Path | None, journal: Path | None, anchor_files: Sequence[Path], only: str | None, output: str | None
) -> None:
    """Read journals from the first record to the last, and compare them with what was anchored outside of them.

    An edited, missing, moved or foreign record is found, and so is a journal that was cut or written anew before what
    was anchored of it. What was cut off behind the last anchor (5 s, by default) is not.
    """
    as_json = wants_json(output)
    with exit_codes():
        place = open_place(config, journal)
        sites = place.sites(only)
        anchors = _anchors(place, anchor_files)
        told = [
            verify_journal(
                place.files, site, _anchors_for(place, site, anchors, anchor_files), place.keys,
                _progress(site, place.files.size_bytes(site)),
            )
            for site in sites
        ]  # fmt: skip
        missing = [] if only or anchor_files or journal else _missing(place, sites, anchors or ())
    good = not missing and all(one.flaw is None for one in told)
    document = {"ok": good, "anchored": anchors is not None, "missing": missing, "journals": list(map(_shown, told))}
    click.echo(json.dumps(document, indent=2) if as_json else _text(told, missing, anchors is not None))
    if not good:
        raise click.exceptions.Exit(1)


def _anchors(place: Place, files: Sequence[Path]) -> list[Checkpoint] | None:
    if files:
        # Imported here: most verifications read none.
        from edgemind.bootstrap.audit import read_anchor_file

        return [one for path in files for one in read_anchor_file(path)]
    return stored_anchors(place.settings)


def _anchors_for(
    place: Place, site: str, anchors: Sequence[Checkpoint] | None, files: Sequence[Path]
) -> list[Checkpoint]:
    found = anchors_of(anchors or (), site)
    if not files:
        return found
    # A file keeps those of journals that went before, too: the newest of them says which one it is about.
    newest = max(found, key=lambda one: one.at_ms, default=None)
    return [one for one in found if newest is not None and one.chain == newest.chain]


def _missing(place: Place, sites: Sequence[str], anchors: Sequence[Checkpoint]) -> list[str]:
    """Journals that were anchored in a store that only this machine has, and are not here."""
    if place.settings is None or place.settings.state.store is not Store.JSON:
        return []
    return sorted({one.site for one in anchors} - set(sites))


def _progress(site: str, size_bytes: int) -> Callable[[int], None]:
    if size_bytes < PROGRESS_FROM_BYTES or not sys.stderr.isatty():
        return lambda read: None

    def show(read: int) -> None:
        end = "\n" if read >= size_bytes else ""
        click.echo(f"\r{site}: {read / max(1, size_bytes):4.0%} of {size_bytes >> 20} MiB{end}", nl=False, err=True)

    return show


def _shown(told: Verified) -> dict[str, Any]:
    flaw = told.flaw
    return {
        "site": told.site,
        "journal": told.chain,
        "records": told.records,
        "first": told.first,
        "last": told.last,
        "from": moment(told.from_ms),
        "to": moment(told.to_ms),
        "kinds": dict(sorted(told.kinds.items())),
        "erased": told.erased,
        "dropped": told.dropped,
        "lost_tagged": told.lost_tagged,
        "torn_bytes": told.torn_bytes,
        "anchors": told.anchors,
        "anchored": told.anchored,
        "signatures_checked": told.signed,
        "flaw": None
        if flaw is None
        else {"kind": flaw.kind.value, "record": flaw.sequence, "place": flaw.place, "why": flaw.why},
    }


def _text(told: Sequence[Verified], missing: Sequence[str], anchored: bool) -> str:
    lines = [line for one in told for line in _lines(one)]
    lines += [f"{site}: MISSING: it was anchored, and its journal is not here" for site in missing]
    if not anchored:
        lines.append("No anchors were compared: a journal that was cut off or written anew as a whole is not noticed.")
    bad = len(missing) + sum(one.flaw is not None for one in told)
    lines.append(f"{bad} of {len(told) + len(missing)} journals are not what was written." if bad else "All is well.")
    return "\n".join(lines)


def _lines(told: Verified) -> list[str]:
    span = f"from {moment(told.from_ms)} to {moment(told.to_ms)}" if told.records else "empty"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(told.kinds.items()))
    lines = [f"{told.site}: {told.records} records {told.first} to {told.last}, {span} ({kinds or 'nothing'})"]
    extra = [
        (told.first > 1, f"records before {told.first} were pruned"),
        (told.erased > 0, f"of {told.erased} the person's part was erased"),
        (told.dropped > 0, f"{told.dropped} entries were dropped"),
        (told.lost_tagged > 0, f"{told.lost_tagged} decisions with a residency were lost"),
        (told.torn_bytes > 0, f"{told.torn_bytes} bytes of a line that a crash cut short, or that is being written"),
        (told.anchored > 0, f"it fits the anchor at record {told.anchored}"),
        (not told.signed, "signatures were not checked: the fleet's secret is not known here"),
    ]
    lines += [f"  {text}" for holds, text in extra if holds]
    if told.flaw is not None:
        where = f" ({told.flaw.place})" if told.flaw.place else ""
        lines.append(f"  {told.flaw.kind.value.upper()}: record {told.flaw.sequence}{where}: {told.flaw.why}")
    return lines
