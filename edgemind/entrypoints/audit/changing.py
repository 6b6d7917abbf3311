"""`edgemind audit erase|accept`: what may be changed about the journals, each leaving its own record."""

import json
from pathlib import Path
from typing import Any

import click

from edgemind import bootstrap
from edgemind.domain.audit.subjects import subject_key
from edgemind.entrypoints.audit.places import config_option, output_option, wants_json
from edgemind.entrypoints.command_audit import record_command
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused, WrongUsage, exit_codes
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.errors import ConfigurationError
from edgemind.settings import Store, load_settings

EXIT_CODES = "Exit codes: 0 done; 1 not at every site, or refused; 2 wrong usage; 3 the fleet cannot be reached."

ERASE_TIMEOUT_S = 305.0
"""A controller waits 300 s for its journal, and then says what it knows."""


@click.command("erase", epilog=EXIT_CODES)
@click.option(
    "--subject", required=True, help="tenant:NAME, operator:LOGIN, or session:VALUE as x-edgemind-session has it."
)
@fleet_options
def erase(session: FleetSession, subject: str) -> None:
    """Take everything that concerns a person out of every site's journal, for good. Needs the admin role.

    What stays is that something happened, and where it ran; the journals stay verifiable. Journals of commands
    (operator:LOGIN) on hosts without a controller, exports and backups are not reached.
    """
    try:
        key = subject_key(subject)
    except ConfigurationError as exc:
        raise WrongUsage(str(exc)) from exc
    fleet = session.client.get("fleet")
    rows = [_erased(session, fleet["asked"], site, key) for site in fleet["sites"] if site["controller_url"]]
    failed = [row for row in rows if row["error"] is not None]
    if session.as_json:
        click.echo(json.dumps({"ok": not failed, "sites": rows}, indent=2))
    else:
        for row in rows:
            click.echo(f"{row['site']}: {row['error'] or str(row['records']) + ' records'}")
    if failed:
        raise Refused(f"not finished at {', '.join(row['site'] for row in failed)}: do it again")


@click.command("accept")
@config_option
@click.option("--site", required=True, help="Whose journal was lost, or was changed and looked into.")
@click.option("--reason", required=True, help="Kept in the journal of this host's commands.")
@output_option
def accept(config: Path | None, site: str, reason: str, output: str | None) -> None:
    """Take back what was anchored of a site's journal: for one that is gone, and will not come back.

    Until then verification and the site's status say that it does not fit. Anchors are taken back from the state store
    only: a file keeps them.

    Exit codes: 0 done; 1 there is no anchor of it, or the store cannot be used; 2 wrong usage or configuration.
    """
    as_json = wants_json(output)
    with exit_codes():
        settings = load_settings(configuration_file(config))
        if settings.state.store is Store.MEMORY:
            raise ConfigurationError("state.store: memory keeps anchors in each process only; there is nothing to do")
        store = bootstrap.open_state_store(settings)
        held = [one for one in store.audit_anchors() if one.site == site]
        if not held:
            raise Refused(f"nothing is anchored of {site}")
        for one in held:
            store.remove_audit_anchor(site, one.chain)
    gone = [{"journal": one.chain, "records": one.sequence, "hash": one.hash} for one in held]
    record_command(settings, {"action": "audit accept", "site": site, "reason": reason, "anchors": gone})
    told: dict[str, Any] = {"site": site, "anchors": gone}
    text = f"{len(gone)} anchors of {site} were taken back. Restart its controller: it anchors anew."
    click.echo(json.dumps(told, indent=2) if as_json else text)


def _erased(session: FleetSession, asked: str, site: dict[str, Any], key: str) -> dict[str, Any]:
    try:
        # Whoever was asked is known to be reached at the address that was given.
        client = session.client if site["name"] == asked else session.of(site["controller_url"])
        told = client.post("audit", "erase", body={"subject": key}, timeout_s=ERASE_TIMEOUT_S)
    except Refused as exc:
        return {"site": site["name"], "records": None, "error": exc.message}
    return {"site": site["name"], "records": told["records"], "error": None}
