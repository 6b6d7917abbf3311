"""What the advisor tells its model: a few facts of the fleet as fenced data, small enough for a small model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record
from edgemind.domain.swarm.records import KEEP
from edgemind.domain.swarm.replay import why_decided_then
from edgemind.domain.swarm.voter import pressure
from edgemind.domain.swarm.wording import candidate_words, outcome_words

ROUNDS_READ = 8
SITES_TOLD = 8
"""Those with the most load per slot: a model with a small window cannot take in fifty."""
LINE_LIMIT = 200
"""Of each fact: names come from devices and from other sites."""
FACTS_LIMIT = 2400
"""Characters: about 750 tokens, which leaves room for prompt and answer in a window of 1024."""


class FleetReader(Protocol):
    """The fleet API: `edgemind.entrypoints.fleet_client.FleetClient`."""

    def get(self, *segments: str, **query: str | int | None) -> dict[str, Any]: ...

    def post(self, *segments: str, body: object = None, **query: int) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class FleetFacts:
    """`newest` is the newest round that was decided, with every site's vote; None if there is none."""

    newest: RoundRecord | None
    rounds: Sequence[Mapping[str, Any]]
    advice: Mapping[str, Any]
    sites: Mapping[str, Any]

    @property
    def settings(self) -> dict[str, Mapping[str, Any]]:
        return {one["field"]: one for one in self.advice["settings"]}


def read_facts(fleet: FleetReader) -> FleetFacts:
    """Four questions to the fleet; raises what it raises. A round that changed something is told before one that kept
    things as they were."""
    rounds = fleet.get("rounds", limit=ROUNDS_READ)["rounds"]
    decided = [one for one in rounds if one.get("outcome")]
    changing = [one for one in decided if one["outcome"] != "KEEP"]
    told = (changing or decided or [None])[0]
    newest = None if told is None else parse_record(fleet.get("rounds", told["fence"]))
    return FleetFacts(newest, rounds, fleet.get("advice", limit=1), fleet.get("fleet"))


def round_facts(record: RoundRecord) -> str:
    """One round, for its explanation."""
    view = next((vote.view for _, vote in sorted(record.votes.items()) if vote.view.loads), None)
    measured = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in record.measured.items())
    said = f": {measured}" if measured else ""
    lines = [
        f"{record.breached or 'A site'} was in trouble with the model {record.model}{said}.",
        f"The sites decided: {outcome_words(record.outcome, record.ended)}.",
    ]
    if view is not None:
        busiest = sorted(view.loads.items(), key=lambda item: -item[1].demand / max(1, item[1].slots))
        lines += [
            f"{site} had {load.demand:g} requests and room for {load.slots} at once."
            for site, load in busiest[:SITES_TOLD]
        ]
        # What the voters compared: without it a model can only guess why.
        chosen = record.outcome.candidate if record.outcome is not None else KEEP
        lines += [
            f"If they {candidate_words(one)}, each place has {pressure(one, view.loads):.2f} requests."
            for one in dict.fromkeys((KEEP, chosen))
        ]
    why = why_decided_then(record)
    if why is not None:
        lines.append(f"{len(record.voters)} of {len(record.roster)} sites voted; they stopped because {why}.")
    return fenced(lines)


def policy_facts(facts: FleetFacts) -> str:
    """Recent rounds and the settings that may be changed, for a proposal."""
    sites = facts.sites.get("sites") or []
    alive = sum(one.get("state") == "alive" for one in sites)
    lines = [
        f"setting {name} = {one['value']:g} {one['unit']}. {one['meaning']}" for name, one in facts.settings.items()
    ]
    lines += [f"decided for {one.get('breached') or 'an operator'}: {one['told']}" for one in facts.rounds]
    lines.append(f"{alive} of {len(sites)} sites are alive. Change in force: {facts.advice.get('in_force') or 'none'}.")
    return fenced(lines)


def fenced(lines: Sequence[str]) -> str:
    """Between two fences that no line can close: each is one short line of plain ASCII without backquotes."""
    text = "\n".join(_bounded(line) for line in lines)[:FACTS_LIMIT]
    return f"```\n{text}\n```"


def _bounded(line: str) -> str:
    plain = line.encode("unicode_escape").decode("ascii").replace("`", "'")
    return plain if len(plain) <= LINE_LIMIT else f"{plain[:LINE_LIMIT]}..."
