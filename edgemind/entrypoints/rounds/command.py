"""`edgemind rounds list|show|explain|replay|force`.

Exit codes: 0 done; 1 the fleet said no, there is no such round, or a replay differs; 2 wrong usage; 3 the fleet cannot
be reached.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record
from edgemind.domain.swarm.replay import replay as replay_record
from edgemind.domain.wire import DocumentInvalid
from edgemind.entrypoints.exit_codes import Refused, WrongUsage
from edgemind.entrypoints.fleet_client import FleetUnreachable
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.entrypoints.rounds.explanation import explanation_document, explanation_text
from edgemind.entrypoints.rounds.listing import listing_text
from edgemind.entrypoints.rounds.page import page_text
from edgemind.entrypoints.rounds.replaying import replay_document, replay_text

EXIT_CODES = (
    "Exit codes: 0 done; 1 the fleet said no, no such round, or a replay differs; 2 wrong usage; 3 the fleet cannot "
    "be reached."
)
NEWEST = "last"
CALLS_SHOWN = 100


@click.group(epilog=EXIT_CODES)
def rounds() -> None:
    """List, show, explain, replay and force the swarm's rounds.

    ROUND is its epoch and number as `rounds list` shows them, such as 1.17, or `last`.
    """


def _of_one_round(command: Callable[..., None]) -> Callable[..., Any]:
    """The arguments of a command about one round: in the fleet, or in a file."""
    where = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.option("--file", "file", type=where, help="A round that `-o json` wrote, instead of the fleet's.")(
        command
    )
    return click.argument("name", metavar="[ROUND]", default=NEWEST)(fleet_options(command))


@rounds.command("list", epilog=EXIT_CODES)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Rounds on the page.")
@click.option("--cursor", help="Continue after an earlier page.")
@click.option("--scope", type=click.Choice(["fleet", "site"]), default="fleet", help="Everybody's view, or one site's.")
@fleet_options
def list_rounds(session: FleetSession, limit: int, cursor: str | None, scope: str) -> None:
    """Recent rounds, newest first."""
    page = session.client.get("rounds", limit=limit, cursor=cursor, scope=scope)
    _print(session, page, lambda: listing_text(page, time.time() * 1000))


@rounds.command(epilog=EXIT_CODES)
@_of_one_round
def show(session: FleetSession, name: str, file: Path | None) -> None:
    """Everything that is known of one round, with a picture of its steps."""
    document, record = _round(session, name, file)
    _print(session, document, lambda: page_text(record, document.get("unreachable") or []))


@rounds.command(epilog=EXIT_CODES)
@_of_one_round
def explain(session: FleetSession, name: str, file: Path | None) -> None:
    """Why one round ended as it did: who voted what, and what each voter saw."""
    document, record = _round(session, name, file)
    calls = [] if file is not None else _calls(session, str(record.fence))
    told = explanation_document(record, calls)
    _print(session, told, lambda: explanation_text(record, document.get("unreachable") or [], calls))


@rounds.command(epilog=EXIT_CODES)
@_of_one_round
@click.pass_context
def replay(ctx: click.Context, session: FleetSession, name: str, file: Path | None) -> None:
    """Vote and count once more with the code of this version; exit code 1 if anything comes out differently.

    Every recorded view goes through the library's voter, whoever voted then; the recorded ballots are counted again.
    """
    _, record = _round(session, name, file)
    checks = replay_record(record)
    _print(session, replay_document(record, checks), lambda: replay_text(record, checks))
    if not all(check.agrees for check in checks):
        ctx.exit(1)


@rounds.command(epilog=EXIT_CODES)
@click.option("--model", required=True, help="A model that the asked controller's site holds.")
@fleet_options
def force(session: FleetSession, model: str) -> None:
    """Let the swarm decide about a model although nothing breaches; needs the operator's token.

    Voters still put KEEP first unless a change helps enough. While a round is under way nothing follows.
    """
    asked = session.client.post("rounds", body={"model": model})
    _print(session, asked, lambda: f"{asked['site']} asked the swarm about {model}; `edgemind rounds list` shows it")


def _round(session: FleetSession, name: str, file: Path | None) -> tuple[dict[str, Any], RoundRecord]:
    document = _from_file(file) if file is not None else _from_fleet(session, name)
    try:
        return document, parse_record(document)
    except DocumentInvalid as exc:
        raise Refused(f"{file or session.client.url}: the round cannot be read: {exc}") from exc


def _calls(session: FleetSession, fence: str) -> list[AgentCall]:
    """What agents asked for this round, as far as their controllers keep it; none from an older controller."""
    known = AgentCall.__dataclass_fields__
    try:
        page = session.client.get("agent-calls", limit=CALLS_SHOWN, fence=fence)["calls"]
        return [AgentCall(**{name: value for name, value in call.items() if name in known}) for call in page]
    except FleetUnreachable:
        raise
    except (Refused, KeyError, TypeError, AttributeError):
        return []


def _from_fleet(session: FleetSession, name: str) -> dict[str, Any]:
    if name == NEWEST:
        newest = session.client.get("rounds", limit=1)["rounds"]
        if not newest:
            raise Refused("the swarm has held no round yet, or none is kept any more")
        name = newest[0]["fence"]
    return session.client.get("rounds", name)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise WrongUsage(f"{file} is no round: {exc}. `edgemind rounds show ROUND -o json` writes one.") from exc
    if not isinstance(document, dict):
        raise WrongUsage(f"{file} is no round: it holds no object. `edgemind rounds show ROUND -o json` writes one.")
    return document


def _print(session: FleetSession, document: dict[str, Any], text: Callable[[], str]) -> None:
    click.echo(json.dumps(document, indent=2) if session.as_json else text())
