"""`edgemind advice run`: ask the model, show what it says, and put its proposal forward."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from agents.advisor.advising import Advice, advise, put_forward
from agents.advisor.facts import FleetReader, read_facts
from agents.advisor.models import MakeModel, ModelFailed, model_maker
from agents.sessions import MakeSession, session_maker
from edgemind.domain.swarm.wording import outcome_words
from edgemind.entrypoints.advice.command import EXIT_CODES
from edgemind.entrypoints.advice.listing import change_text
from edgemind.entrypoints.configuration_file import configuration_file
from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.fleet_client import FleetClient
from edgemind.entrypoints.fleet_options import open_fleet
from edgemind.entrypoints.printable import printable
from edgemind.errors import EdgeMindError
from edgemind.settings import Settings, load_client_settings, load_settings, read_secret


@dataclass(frozen=True, slots=True)
class Advisor:
    """A fleet, and the model that advises it."""

    fleet: FleetReader
    make: MakeModel
    name: str
    timeout_s: float
    sessions: MakeSession = lambda _: None

    def once(self) -> dict[str, Any]:
        """One piece of advice, as a document. Raises ModelFailed, or Refused with what the fleet said."""
        facts = read_facts(self.fleet)
        advice = asyncio.run(advise(self.make, facts, self.timeout_s, self.sessions))
        decided = {"round": advice.fence, "decided": outcome_words(facts.newest.outcome) if facts.newest else ""}
        document: dict[str, Any] = {
            "model": self.name, **decided, **_told(advice), "change": None, "refused": None
        }  # fmt: skip
        if advice.proposal is not None:
            try:
                document["change"] = put_forward(self.fleet, facts, advice.proposal)
            except Refused as refused:
                if refused.exit_code != Refused.exit_code:
                    raise
                document["refused"] = refused.message
        return document


@click.command(epilog=EXIT_CODES)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the model and the advisor's token stand.  [default: $EDGEMIND_CONFIG, edgemind.yaml, or the demo's]",
)
@click.option("--fleet", metavar="URL", help="A controller.  [default: $EDGEMIND_FLEET_URL, or fleet.json]")
@click.option("--token", help="[default: $EDGEMIND_FLEET_TOKEN, or the advisor's of the configuration]")
@click.option("--every", is_flag=True, help="Again and again, with advice.every_s between, until Ctrl-C.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), help="Form of the answer.  [default: text]")
def run(config: Path | None, fleet: str | None, token: str | None, every: bool, output: str | None) -> None:
    """Let a language model explain the newest round and propose at most one change of policy.

    It can do nothing but propose: guard rails and a replay of recent rounds judge the proposal at the controller, and
    an operator decides. A model that is absent, slow or wrong changes nothing; what is wrong with it is said.
    """
    before = click.get_current_context().find_root().params
    file = configuration_file(config)
    # What a language model has a hand in is given two secrets of the fleet's at most: its key, and the advisor's token.
    settings = load_settings(file, resolve_secrets=False)
    client = _client(settings, file, fleet or before.get("fleet"), token or before.get("token"))
    advisor = Advisor(
        client,
        model_maker(settings, read_secret(file, settings.advice.key) if settings.advice.key else None),
        str(settings.advice.name),
        settings.advice.timeout_s,
        session_maker(settings, _now_ms),
    )
    as_json = (output or before.get("output")) == "json"
    if every:
        _again_and_again(advisor, settings.advice.every_s, as_json)
    document = advisor.once()
    _show(document, as_json)
    if document["refused"] is not None:
        raise click.exceptions.Exit(Refused.exit_code)


def _again_and_again(advisor: Advisor, every_s: float, as_json: bool) -> None:
    """Until somebody ends the process. Whatever failed this time may work the next."""
    while True:
        try:
            _show(advisor.once(), as_json)
        except (EdgeMindError, Refused) as exc:
            click.echo(f"no advice this time: {printable(exc.message if isinstance(exc, Refused) else exc)}", err=True)
        time.sleep(every_s)


def _now_ms() -> int:
    return int(time.time() * 1000)


def _client(settings: Settings, file: Path, fleet: str | None, token: str | None) -> FleetClient:
    """With the least that is needed: the advisor's token of this configuration, if it is one of its controllers that is
    asked and nobody gave another token."""
    given = token or load_client_settings().fleet_token
    controllers = [site.controller for site in settings.sites if site.controller]
    advisor = settings.access.tokens.advisor
    if given or advisor is None:
        return open_fleet(fleet, token)
    url = (fleet or load_client_settings().fleet_url or controllers[0]).rstrip("/") if controllers else None
    return FleetClient(url, read_secret(file, advisor)) if url in controllers else open_fleet(fleet, token)


def _told(advice: Advice) -> dict[str, Any]:
    proposal = advice.proposal
    wanted = None
    if proposal is not None:
        wanted = {"setting": proposal.setting, "percent": proposal.percent, "reason": proposal.reason}
    return {"explanation": advice.explanation, "proposal": wanted}


def _show(document: Mapping[str, Any], as_json: bool) -> None:
    click.echo(json.dumps(document, indent=2) if as_json else advice_text(document))


def advice_text(document: Mapping[str, Any]) -> str:
    """What a model wrote is shown escaped: nothing in it is for the terminal."""
    lines = [
        f"round {document['round']}: {printable(document['decided'])}",
        "",
        f"{printable(document['model'])} says, in words of its own that nobody has checked:",
    ]
    lines += [f"  {printable(line)}" for line in str(document["explanation"]).splitlines() if line.strip()]
    proposal = document["proposal"]
    if proposal is None:
        lines += ["", "It proposes no change."]
        return "\n".join(lines)
    lines += [
        "",
        f"It proposes {printable(proposal['setting'])} by {proposal['percent']:+g} %: {printable(proposal['reason'])}",
    ]
    if document["refused"] is not None:
        lines += ["", f"The fleet refused it: {printable(document['refused'])}"]
    if document["change"] is not None:
        lines += ["", change_text(document["change"], time.time() * 1000)]
    return "\n".join(lines)


__all__ = ["Advisor", "ModelFailed", "advice_text", "run"]
