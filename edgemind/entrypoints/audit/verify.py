"""`edgemind audit verify`: whether the journals are what was written, and all of it."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from edgemind.domain.audit.verification import Verified
from edgemind.entrypoints.audit.comparing import NO_ANCHOR, Comparison, compare
from edgemind.entrypoints.audit.moments import moment
from edgemind.entrypoints.audit.places import (
    anchors_option,
    config_option,
    journal_option,
    open_place,
    output_option,
    site_option,
    wants_json,
)
from edgemind.entrypoints.exit_codes import exit_codes

EXIT_CODES = (
    "Exit codes: 0 every journal is what was written; 1 one is not (its first bad record is named), or the anchors "
    "cannot be read; 2 wrong usage or configuration."
)
PROGRESS_FROM_BYTES = 64 * 1024 * 1024
"""Below it verifying is over before anybody wonders."""


@click.command("verify", epilog=EXIT_CODES)
@config_option
@journal_option
@anchors_option
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
        compared = compare(open_place(config, journal), only, anchor_files)
        files = compared.place.files
        told = [compared.verify(site, _progress(site, files.size_bytes(site))) for site in compared.sites]
    good = not compared.missing and all(one.flaw is None for one in told)
    document = {
        "ok": good,
        "anchored": all(one.anchored > 0 for one in told),
        **compared.document(),
        "journals": list(map(_shown, told)),
    }
    click.echo(json.dumps(document, indent=2) if as_json else _text(told, compared))
    if not good:
        raise click.exceptions.Exit(1)


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


def _text(told: Sequence[Verified], compared: Comparison) -> str:
    lines = [line for one in told for line in _lines(one)] + compared.lines()
    bad = len(compared.missing) + sum(one.flaw is not None for one in told)
    unanchored = sum(one.anchored == 0 for one in told)
    if bad:
        lines.append(f"{bad} of {len(told) + len(compared.missing)} journals are not what was written.")
    else:
        lines.append(f"Nothing was found; {unanchored} without an anchor." if unanchored else "All is well.")
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
        (told.anchored == 0 and told.flaw is None, NO_ANCHOR),
        (not told.signed, "signatures were not checked: the fleet's secret is not known here"),
    ]
    lines += [f"  {text}" for holds, text in extra if holds]
    if told.flaw is not None:
        where = f" ({told.flaw.place})" if told.flaw.place else ""
        lines.append(f"  {told.flaw.kind.value.upper()}: record {told.flaw.sequence}{where}: {told.flaw.why}")
    return lines
