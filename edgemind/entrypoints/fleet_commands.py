"""`edgemind sites|models|decisions`: the fleet API on the command line.

Exit codes: 0 done; 1 the fleet said no, or there is no such thing; 2 wrong usage; 3 the fleet cannot be reached.
"""

import json
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

import click

from edgemind.entrypoints import fleet_text
from edgemind.entrypoints.decision_text import explanation_text
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.entrypoints.member_commands import invite_site, join_site, remove_site

TAP_INTERVAL_S = 0.5
TAP_PAGE = 200
EXIT_CODES = "Exit codes: 0 done; 1 the fleet said no, or no such thing; 2 wrong usage; 3 the fleet cannot be reached."


@click.group(epilog=EXIT_CODES)
def sites() -> None:
    """The sites of a fleet: list, show, drain and undrain them, and let them join and leave."""


for _command in (invite_site, join_site, remove_site):
    sites.add_command(_command)


@sites.command("list", epilog=EXIT_CODES)
@fleet_options
def list_sites(session: FleetSession) -> None:
    """Every site with its state, load and distance from the controller that was asked."""
    _answer(session, session.client.get("fleet"), fleet_text.fleet_text)


@sites.command("show", epilog=EXIT_CODES)
@click.argument("name")
@fleet_options
def show_site(session: FleetSession, name: str) -> None:
    """One site: its models, its gateway's counters, its table and registry entry."""
    _answer(session, session.client.get("sites", name), fleet_text.site_text)


@sites.command("drain", epilog=EXIT_CODES)
@click.argument("name")
@fleet_options
def drain_site(session: FleetSession, name: str) -> None:
    """Take a site out of service: its devices are served elsewhere. Needs the operator role."""
    text = "{site} drains: within a second no new request runs there. `edgemind sites undrain {site}` takes it back."
    _answer(session, session.client.post("sites", name, "drain"), lambda told: text.format(**told))


@sites.command("undrain", epilog=EXIT_CODES)
@click.argument("name")
@fleet_options
def undrain_site(session: FleetSession, name: str) -> None:
    """Take a drained site back into service. Needs the operator role."""
    _answer(session, session.client.post("sites", name, "undrain"), lambda told: f"{told['site']} is back in service.")


@click.group(epilog=EXIT_CODES)
def models() -> None:
    """The models of a fleet."""


@models.command("list", epilog=EXIT_CODES)
@fleet_options
def list_models(session: FleetSession) -> None:
    """Every model, where it is held, and its load there."""
    _answer(session, session.client.get("models"), fleet_text.models_text)


@click.group(epilog=EXIT_CODES)
def decisions() -> None:
    """What the gateways decided, and why."""


@decisions.command("list", epilog=EXIT_CODES)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="Decisions on the page.")
@click.option("--cursor", help="Continue after an earlier page.")
@click.option("--scope", type=click.Choice(["fleet", "site"]), default="fleet", help="Everybody's, or one site's.")
@fleet_options
def list_decisions(session: FleetSession, limit: int, cursor: str | None, scope: str) -> None:
    """Recent decisions, newest first."""
    _answer(session, session.client.get("decisions", limit=limit, cursor=cursor, scope=scope), fleet_text.page_text)


@decisions.command(epilog=EXIT_CODES)
@click.argument("decision_id", metavar="ID")
@fleet_options
def explain(session: FleetSession, decision_id: str) -> None:
    """Why one request ran where it ran. ID is the `x-request-id` of its response."""
    _answer(session, session.client.get("decisions", decision_id), explanation_text)


@decisions.command(epilog=EXIT_CODES)
@click.option("--count", type=click.IntRange(1), help="End after so many decisions; otherwise at Ctrl-C.")
@fleet_options
def tap(session: FleetSession, count: int | None) -> None:
    """Follow decisions as they are made; with -o json, one document a line. Busy gateways report a sample."""
    if not session.as_json:
        click.echo(fleet_text.decision_headings())
    shown = 0
    try:
        for decision in _new_decisions(session):
            click.echo(json.dumps(decision) if session.as_json else fleet_text.decision_line(decision))
            shown += 1
            if shown == count:
                return
    except KeyboardInterrupt:
        return


def _new_decisions(session: FleetSession) -> Iterator[dict[str, Any]]:
    """Finished decisions that were not there at the first look, oldest first, each once."""
    seen: dict[str, None] = {}
    first = True
    while True:
        page = session.client.get("decisions", limit=TAP_PAGE)["decisions"]
        for decision in reversed(page):
            # A decision under way comes again with its outcome.
            if decision["id"] not in seen and (first or decision["status"]):
                seen[decision["id"]] = None
                if not first:
                    yield decision
        for oldest in list(seen)[: max(0, len(seen) - 10 * TAP_PAGE)]:
            del seen[oldest]
        first = False
        sleep(TAP_INTERVAL_S)


def _answer(session: FleetSession, document: dict[str, Any], text: Callable[[dict[str, Any]], str]) -> None:
    click.echo(json.dumps(document, indent=2) if session.as_json else text(document))
