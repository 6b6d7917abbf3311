"""`edgemind audit residency`: that no request with a residency ran outside of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgemind.domain.audit.residency import ResidencyProof
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
    "Exit codes: 0 proven; 1 a request ran outside of its residency, or the journals do not prove that none did; 2 "
    "wrong usage or configuration."
)


@click.command("residency", epilog=EXIT_CODES)
@config_option
@journal_option
@anchors_option
@click.option("--zone", help="Only requests that had to stay in this zone (or in one of several with it).")
@site_option
@output_option
def residency(
    config: Path | None,
    journal: Path | None,
    anchor_files: Sequence[Path],
    zone: str | None,
    only: str | None,
    output: str | None,
) -> None:
    """Show that every request with a residency ran in a zone that it allowed.

    The journals are verified first: one that was changed, put aside or compared with no anchor, or is missing,
    proves nothing. Zones are those that sites were declared in
    when the request ran.
    """
    as_json = wants_json(output)
    with exit_codes():
        compared = compare(open_place(config, journal), only, anchor_files)
        told: list[tuple[Verified, ResidencyProof]] = []
        for site in compared.sites:
            verified = compared.verify(site)
            proof = ResidencyProof(zone)
            for record in compared.place.files.records(site):
                proof.take(record)
            told.append((verified, proof))
    whole = not compared.missing and not compared.aside
    proven = whole and not any(holds for one in told for holds, _ in _gaps(*one))
    document = {
        "proven": proven,
        "zone": zone,
        **compared.document(),
        "journals": [_shown(verified, proof) for verified, proof in told],
    }
    click.echo(json.dumps(document, indent=2) if as_json else _text(told, compared, zone, proven))
    if not proven:
        raise click.exceptions.Exit(1)


def _gaps(verified: Verified, proof: ResidencyProof) -> list[tuple[bool, str]]:
    """What keeps a journal from proving anything, and whether it is so."""
    unanchored = verified.anchored == 0 and verified.records > 0 and verified.flaw is None
    return [
        (verified.flaw is not None, f"the journal was changed: edgemind audit verify --site {verified.site}"),
        (unanchored, NO_ANCHOR),
        (verified.lost_tagged > 0, f"{verified.lost_tagged} requests with a residency were not kept"),
        (proof.unreadable > 0, f"{proof.unreadable} records do not say where they ran"),
        (proof.violating > 0, f"{proof.violating} requests ran outside of their residency"),
    ]


def _shown(verified: Verified, proof: ResidencyProof) -> dict[str, Any]:
    return {
        "site": verified.site,
        "from": moment(verified.from_ms),
        "to": moment(verified.to_ms),
        "verified": verified.flaw is None,
        "anchored": verified.anchored,
        "tagged": proof.tagged,
        "shed": proof.shed,
        "violating": proof.violating,
        "unreadable": proof.unreadable,
        "lost_tagged": verified.lost_tagged,
        "ran": dict(sorted(proof.ran.items())),
        "violations": [asdict(one) for one in proof.violations],
    }


def _text(told: list[tuple[Verified, ResidencyProof]], compared: Comparison, zone: str | None, proven: bool) -> str:
    lines = []
    for verified, proof in told:
        ran = ", ".join(f"{site} {count}" for site, count in sorted(proof.ran.items())) or "nowhere"
        lines.append(f"{verified.site}: {proof.tagged} requests with a residency ran at {ran}; {proof.shed} were shed")
        lines += [
            f"  record {one.sequence}: {one.decision} had to stay in {', '.join(one.residency)} and was at {one.site} "
            f"({', '.join(one.zones) or 'in no zone'}), {moment(one.at_ms)}"
            for one in proof.violations
        ]
        lines += [f"  {text}" for holds, text in _gaps(verified, proof) if holds]
    lines += compared.lines()
    what = f"every request that had to stay in {zone}" if zone else "every request with a residency"
    lines.append(f"Proven: {what} ran where it was allowed to." if proven else f"NOT proven that {what} did.")
    return "\n".join(lines)
