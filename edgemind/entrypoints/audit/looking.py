"""`edgemind audit list|show|export`: what the journals hold."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from edgemind.domain.audit.chain import AuditRecord
from edgemind.domain.audit.checkpoints import checkpoint_document
from edgemind.domain.audit.entries import EntryKind
from edgemind.domain.audit.subjects import concerns, subject_key
from edgemind.entrypoints.audit.moments import given_moment, moment
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
from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.text_tables import text_table

EXIT_CODES = "Exit codes: 0 done; 1 no such record, or the journal cannot be read; 2 wrong usage or configuration."
TOLD_CHARS = 100


@click.command("list", epilog=EXIT_CODES)
@config_option
@journal_option
@site_option
@click.option("--kind", type=click.Choice([kind.value for kind in EntryKind]), help="Only entries of this kind.")
@click.option("--since", callback=given_moment, help="Not before this time, such as 2026-05-01T12:00:00Z.")
@click.option("--until", callback=given_moment, help="Before this time.")
@click.option("--subject", help="Only of a subject: tenant:NAME, session:VALUE or operator:LOGIN.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@output_option
def list_entries(
    config: Path | None,
    journal: Path | None,
    only: str | None,
    limit: int,
    output: str | None,
    **chosen: Any,
) -> None:
    """The newest entries of the journals, oldest first. It shows them; `verify` tells whether to believe them."""
    as_json = wants_json(output)
    with exit_codes():
        place = open_place(config, journal)
        wanted = _wanted(**chosen)
        found = [record for site in place.sites(only) for record in place.files.records(site) if wanted(record)]
    found = sorted(found, key=lambda record: (record.at_ms, record.site, record.sequence))[-limit:]
    if as_json:
        click.echo(json.dumps([_shown(record) for record in found], indent=2))
    else:
        click.echo(_table(found) if found else "No entry is like that.")


def _wanted(
    kind: str | None, since: int | None, until: int | None, subject: str | None
) -> Callable[[AuditRecord], bool]:
    key = subject_key(subject) if subject is not None else None
    return lambda record: (
        kind in {None, record.kind}
        and (since is None or record.at_ms >= since)
        and (until is None or record.at_ms < until)
        and (key is None or concerns((record.opened or {}).get("subject"), key))
    )


@click.command("show", epilog=EXIT_CODES)
@click.argument("record", metavar="RECORD")
@config_option
@journal_option
@site_option
@output_option
def show_entry(record: str, config: Path | None, journal: Path | None, only: str | None, output: str | None) -> None:
    """One entry, whole. RECORD is SITE/NUMBER as `list` shows it, or a decision's id."""
    wants_json(output)
    with exit_codes():
        place = open_place(config, journal)
        found = _found(place, record, only)
    # An entry is a document: there is no better text for it.
    click.echo(json.dumps(_shown(found), indent=2))


@click.command("export", epilog=EXIT_CODES)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@journal_option
@site_option
@output_option
def export(target: Path, config: Path | None, journal: Path | None, only: str | None, output: str | None) -> None:
    """Write journals with their anchors to TARGET, a .tar.gz, for somebody else to verify.

    There: unpack it, and edgemind audit verify --journal journal --anchors anchors.jsonl
    """
    as_json = wants_json(output)
    if target.exists():
        raise WrongUsage(f"{target} exists; name a new file")
    with exit_codes():
        place = open_place(config, journal)
        sites = place.sites(only)
        # First, so that the journals written out afterwards fit them.
        anchors = [one for one in stored_anchors(place.settings) or [] if one.site in sites]
        rows = "".join(json.dumps(checkpoint_document(one), separators=(",", ":")) + "\n" for one in anchors)
        try:
            with tarfile.open(target, "x:gz") as archive:
                _add(archive, "anchors.jsonl", rows.encode("ascii"))
                for site in sites:
                    for path in place.files.paths(site):
                        archive.add(path, f"journal/{site}/{path.name}", recursive=False)
        except OSError as exc:
            target.unlink(missing_ok=True)
            raise Refused(f"{target} cannot be written: {exc.strerror or exc}") from exc
    told = {"file": str(target), "sites": sites, "anchors": len(anchors)}
    text = f"wrote {target}: {', '.join(sites)}, with {len(anchors)} anchors. It holds personal data."
    click.echo(json.dumps(told) if as_json else text)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _found(place: Place, name: str, only: str | None) -> AuditRecord:
    site, _, number = name.rpartition("/")
    if site and number.isdigit():
        records: Iterator[AuditRecord] = place.files.records(site) if site in place.sites(only) else iter(())
        wanted = (record for record in records if record.sequence == int(number))
        found = next(islice(wanted, 1), None)
    else:
        every = (place.files.find_decision(one, name) for one in place.sites(only))
        found = next((one for one in every if one is not None), None)
    if found is None:
        raise Refused(f"there is no record {name}: `edgemind audit list` shows what there is")
    return found


def _shown(record: AuditRecord) -> dict[str, Any]:
    opened = record.opened or {}
    return {
        "record": f"{record.site}/{record.sequence}",
        "at": moment(record.at_ms),
        "at_ms": record.at_ms,
        "kind": record.kind,
        "body": record.body,
        "subject": opened.get("subject"),
        "personal": opened.get("body"),
        "erased": record.erased_by is not None,
        "hash": record.hash,
    }


def _table(records: list[AuditRecord]) -> str:
    rows = [
        [f"{one.site}/{one.sequence}", moment(one.at_ms), one.kind, json.dumps(one.body)[:TOLD_CHARS]]
        for one in records
    ]
    return text_table(["RECORD", "AT", "KIND", "WHAT"], rows)
