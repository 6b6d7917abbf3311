"""What the advisor tells its model: a few facts of the fleet as fenced data, small enough for a small model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record
from edgemind.domain.swarm.replay import why_decided_then
from edgemind.domain.swarm.voter import pressure
from edgemind.domain.swarm.wording import candidate_words, outcome_words

ROUNDS_READ = 8
SITES_TOLD = 8
"""Those with the most load per slot: a model with a small window cannot take in fifty."""
TEXT_LIMIT = 80
"""Of each text that comes from devices, model names or journals."""
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
    busiest = sorted(view.loads.items(), key=lambda item: -item[1].demand / max(1, item[1].slots)) if view else []
    facts: dict[str, object] = {
        "site in trouble": record.breached,
        "model": record.model,
        "measured there": {name: round(value, 2) for name, value in record.measured.items()},
        "requests and slots at each site": {
            site: f"{load.demand:g} requests, {load.slots} slots" for site, load in busiest[:SITES_TOLD]
        },
        "decided": outcome_words(record.outcome, record.ended),
        "votes counted": f"{len(record.voters)} of {len(record.roster)}" if record.coordinated else None,
        "decided because": why_decided_then(record),
    }
    if view is not None and record.outcome is not None:
        # pressure is what the voters compared: without it a model can only guess why.
        facts["requests per slot after each choice"] = {
            candidate_words(one): round(pressure(one, view.loads), 2) for one in record.candidates
        }
    return fenced({name: value for name, value in facts.items() if value not in (None, {}, "")})


def policy_facts(facts: FleetFacts) -> str:
    """Recent rounds and the settings that may be changed, for a proposal."""
    sites = facts.sites.get("sites") or []
    return fenced(
        {
            "settings": {
                name: f"{one['value']:g} {one['unit']}: {one['meaning']}" for name, one in facts.settings.items()
            },
            "last rounds": [f"{one['told']} (for {one.get('breached') or 'an operator'})" for one in facts.rounds],
            "sites": {"known": len(sites), "alive": sum(one.get("state") == "alive" for one in sites)},
            "change in force": facts.advice.get("in_force") or "none",
        }
    )


def fenced(facts: Mapping[str, object]) -> str:
    """As JSON between two fences that nothing in it can close: text is escaped, short, and without backquotes."""
    text = json.dumps(_bounded(facts), ensure_ascii=True, separators=(",", ":"))[:FACTS_LIMIT]
    return f"```\n{text.replace('`', chr(39))}\n```"


def _bounded(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name)[:TEXT_LIMIT]: _bounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_bounded(one) for one in value]
    if isinstance(value, str):
        return value if len(value) <= TEXT_LIMIT else f"{value[:TEXT_LIMIT]}..."
    if isinstance(value, float) and value == float("inf"):
        return "no slot left"
    return value
