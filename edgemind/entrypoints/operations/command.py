"""`edgemind kpis`, `edgemind alerts list` and `edgemind top`.

Exit codes: 0 done; 1 the fleet said no; 2 wrong usage; 3 the fleet cannot be reached; 4 what `--fail-on` looks for is
there.
"""

import json
import shutil
import time
from dataclasses import asdict

import click

from edgemind.domain.alerts.engine import SEVERITIES
from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.entrypoints.operations.lines import as_text
from edgemind.entrypoints.operations.listing import alerts_text, kpis_text
from edgemind.entrypoints.operations.top import ask, watch
from edgemind.entrypoints.operations.top_view import picture

FOUND = 4
EXIT_CODES = (
    "Exit codes: 0 done; 1 the fleet said no; 2 wrong usage; 3 the fleet cannot be reached; 4 what --fail-on looks for "
    "is there."
)
_WORSE = [level.value for level in SEVERITIES]


@click.command(epilog=EXIT_CODES)
@click.option("--fail-on", type=click.Choice(_WORSE[1:]), help="Exit with 4 if a KPI is at this level or a worse one.")
@fleet_options
@click.pass_context
def kpis(ctx: click.Context, session: FleetSession, fail_on: str | None) -> None:
    """Every KPI of the metro against the target of its tier; what is not measured says why."""
    told = session.client.get("kpis")
    click.echo(json.dumps(told, indent=2) if session.as_json else kpis_text(told))
    _exit(ctx, [kpi["level"] for kpi in told["kpis"]], fail_on)


@click.group(epilog=EXIT_CODES)
def alerts() -> None:
    """What is wrong in the fleet. docs/runbooks/ has a page for each alert."""


@alerts.command("list", epilog=EXIT_CODES)
@click.option("--scope", type=click.Choice(["fleet", "site"]), default="fleet", help="Everybody's, or one site's own.")
@click.option("--fail-on", type=click.Choice(_WORSE), help="Exit with 4 if one of this level or a worse one fires.")
@fleet_options
@click.pass_context
def list_alerts(ctx: click.Context, session: FleetSession, scope: str, fail_on: str | None) -> None:
    """Alerts that are pending, firing or lately resolved: firing ones first, the worst first."""
    page = session.client.get("alerts", scope=scope)
    click.echo(json.dumps(page, indent=2) if session.as_json else alerts_text(page, time.time() * 1000))
    _exit(ctx, [alert["level"] for alert in page["alerts"] if alert["state"] == "firing"], fail_on)


@click.command(epilog=EXIT_CODES)
@click.option("--once", is_flag=True, help="Show it once and end.")
@click.option(
    "--interval", "interval_s", type=click.FloatRange(0.5, 60), default=2.0, show_default=True, help="Seconds between."
)
@fleet_options
def top(session: FleetSession, once: bool, interval_s: float) -> None:
    """The fleet, its KPIs, alerts and rounds, live until Ctrl-C. With -o json: once, as one document."""
    if session.as_json or once:
        told = ask(session.client)
        width = shutil.get_terminal_size((120, 40)).columns
        shown = json.dumps(asdict(told), indent=2) if session.as_json else ""
        click.echo(shown or as_text(picture(told, session.client.url, width)))
        return
    watch(session.client, interval_s)


def _exit(ctx: click.Context, levels: list[str], fail_on: str | None) -> None:
    if fail_on is None:
        return
    unknown = [level for level in levels if level not in {*_WORSE, "ok", "unknown"}]
    if unknown:
        raise Refused(f"the fleet knows a level {unknown[0]!r} that this version does not: upgrade edgemind")
    if any(level in _WORSE and _WORSE.index(level) >= _WORSE.index(fail_on) for level in levels):
        ctx.exit(FOUND)
