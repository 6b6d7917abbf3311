"""`edgemind advice run|list|show|settings|propose|accept|reject|rollback|pause|resume`.

Exit codes: 0 done; 1 the fleet said no, there is no such change, or the model gave no advice; 2 wrong usage or
configuration; 3 the fleet cannot be reached.
"""

import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import click

from edgemind.entrypoints.advice.listing import change_text, page_text, settings_text
from edgemind.entrypoints.exit_codes import Refused, WrongUsage
from edgemind.entrypoints.fleet_options import FleetSession, fleet_options
from edgemind.entrypoints.member_commands import seconds_of

EXIT_CODES = (
    "Exit codes: 0 done; 1 the fleet said no, no such change, or the model gave no advice; 2 wrong usage or "
    "configuration; 3 the fleet cannot be reached."
)
ADVISOR = "agents.advisor.command"


class AdviceGroup(click.Group):
    """`run` belongs to the agents, which the library does not import: it is looked up by name when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["run", *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "run":
            return super().get_command(ctx, cmd_name)
        try:
            command: click.Command = importlib.import_module(ADVISOR).run
        except ModuleNotFoundError as exc:
            raise Refused(
                f"`edgemind advice run` needs {exc.name}, which is not installed; install it with: "
                'pip install "edgemind-mec[agents]"'
            ) from exc
        return command


@click.group(cls=AdviceGroup, epilog=EXIT_CODES)
def advice() -> None:
    """Advice about policy: run the advisor, list and show changes, accept, reject and roll back.

    A change moves a few settings within bounds and ends by itself; a replay of recent rounds judges it first. One is in
    force at a time. CHANGE is its id, such as adv-7.
    """


@advice.command("list", epilog=EXIT_CODES)
@click.option("--limit", type=click.IntRange(1, 50), default=20, show_default=True, help="Changes on the page.")
@click.option("--cursor", help="Continue after an earlier page.")
@fleet_options
def list_changes(session: FleetSession, limit: int, cursor: str | None) -> None:
    """Changes that were proposed, newest first, and what is in force."""
    page = session.client.get("advice", limit=limit, cursor=cursor)
    _print(session, page, lambda: page_text(page, _now_ms()))


@advice.command(epilog=EXIT_CODES)
@click.argument("change")
@fleet_options
def show(session: FleetSession, change: str) -> None:
    """One change, and what the replay said of it."""
    _show(session, session.client.get("advice", change))


@advice.command(epilog=EXIT_CODES)
@fleet_options
def settings(session: FleetSession) -> None:
    """Which settings advice may change, their values, and how far one change goes."""
    page = session.client.get("advice", limit=1)
    _print(session, {"settings": page["settings"]}, lambda: settings_text(page))


@advice.command(epilog=EXIT_CODES)
@click.option("--set", "values", multiple=True, required=True, metavar="SETTING=VALUE", help="Up to three of them.")
@click.option("--reason", required=True, help="Why, for whoever decides.")
@click.option("--for", "for_s", default="1h", show_default=True, callback=seconds_of, help="How long it is in force.")
@fleet_options
def propose(session: FleetSession, values: tuple[str, ...], reason: str, for_s: int) -> None:
    """Propose a change; it is judged at once, and waits for an operator. Needs the advisor's or operator's token."""
    body = {"changes": [_wanted(value) for value in values], "reason": reason, "for_s": for_s}
    _show(session, session.client.post("advice", body=body))


@advice.command(epilog=EXIT_CODES)
@click.argument("change")
@fleet_options
def accept(session: FleetSession, change: str) -> None:
    """Put a proposal in force, if a replay of the rounds up to now shows no regression. Needs the operator's token."""
    _show(session, session.client.post("advice", change, "accept"))


@advice.command(epilog=EXIT_CODES)
@click.argument("change")
@fleet_options
def reject(session: FleetSession, change: str) -> None:
    """Turn a proposal down. Needs the operator's token."""
    _show(session, session.client.post("advice", change, "reject"))


@advice.command(epilog=EXIT_CODES)
@click.argument("change", required=False)
@fleet_options
def rollback(session: FleetSession, change: str | None) -> None:
    """End the change in force: what edgemind.yaml says holds again within a second or two. Needs the operator's
    token."""
    wanted = change or session.client.get("advice", limit=1)["in_force"]
    if wanted is None:
        raise Refused("no change is in force: there is nothing to roll back")
    _show(session, session.client.post("advice", wanted, "rollback"))


@advice.command(epilog=EXIT_CODES)
@fleet_options
def pause(session: FleetSession) -> None:
    """Stop all advice: nothing is proposed or accepted, and what is in force is not followed. Needs the operator's
    token."""
    told = session.client.post("advice", "pause")
    _print(session, told, lambda: "advice is paused: what edgemind.yaml says holds; `edgemind advice resume` ends it")


@advice.command(epilog=EXIT_CODES)
@fleet_options
def resume(session: FleetSession) -> None:
    """Let advice go on. Needs the operator's token."""
    told = session.client.post("advice", "resume")
    _print(session, told, lambda: "advice goes on")


def _wanted(value: str) -> dict[str, object]:
    setting, equals, number = value.partition("=")
    try:
        if equals:
            return {"field": setting.strip(), "to": float(number)}
    except ValueError:
        pass
    raise WrongUsage(f"--set {value!r}: write SETTING=NUMBER, such as swarm.cooldown_ms=4000")


def _show(session: FleetSession, change: dict[str, Any]) -> None:
    _print(session, change, lambda: change_text(change, _now_ms()))


def _now_ms() -> float:
    return time.time() * 1000


def _print(session: FleetSession, document: dict[str, Any], text: Callable[[], str]) -> None:
    click.echo(json.dumps(document, indent=2) if session.as_json else text())
