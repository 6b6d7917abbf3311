"""From the facts of a fleet to one piece of advice: an explanation, and at most one change that is proposed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.advisor.facts import FleetFacts, FleetReader, policy_facts, round_facts
from agents.advisor.models import MakeModel, ModelFailed, Question, ask
from agents.advisor.proposals import ModelsProposal, read_proposal, schema_of
from agents.roles import PROMPTS
from agents.sessions import MakeSession

WHY = "Why did the sites decide this?"
"""Behind the facts: a small model goes on with what it read last."""
EXPLANATION_TOKENS = 120
EXPLANATION_LIMIT = 1000
PROPOSAL_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Advice:
    """`proposal` is what the model wants, None if nothing."""

    fence: str
    explanation: str
    proposal: ModelsProposal | None


async def advise(
    make: MakeModel, facts: FleetFacts, timeout_s: float, sessions: MakeSession = lambda _: None
) -> Advice:
    """Two questions, each alone: a small model that shall explain and propose at once does neither. ModelFailed says
    what is missing; nothing has been proposed then. `sessions` keep what is asked and answered."""
    record = facts.newest
    if record is None:
        raise ModelFailed("the swarm has decided no round yet: there is nothing to explain, and nothing to go by")
    name = str(record.fence).replace(".", "-")
    why = Question(_prompt("advisor_explain"), f"{round_facts(record)}\n\n{WHY}", EXPLANATION_TOKENS)
    told = await ask(make, why, timeout_s, sessions(f"{name}-explain"))
    schema = schema_of(facts.settings)
    wanted = Question(_prompt("advisor_propose"), policy_facts(facts), PROPOSAL_TOKENS, schema)
    answer = await ask(make, wanted, timeout_s, sessions(f"{name}-propose"))
    return Advice(str(record.fence), _whole(told.text, told.cut), read_proposal(answer.text))


def put_forward(fleet: FleetReader, facts: FleetFacts, proposal: ModelsProposal) -> Mapping[str, Any]:
    """The change as the fleet keeps it. Refused, with the fleet's words, if a guard rail is against it."""
    return fleet.post("advice", body=proposal.body(facts.settings))


def _prompt(name: str) -> str:
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8")


def _whole(text: str, cut: bool) -> str:
    """Bounded, and without the half sentence at the end of an answer that was cut off."""
    short = text[:EXPLANATION_LIMIT]
    if cut or len(text) > EXPLANATION_LIMIT:
        end = max(short.rfind(mark) for mark in (". ", ".\n", "! ", "? "))
        short = short[: end + 1] if end > 0 else f"{short} ..."
    return short
