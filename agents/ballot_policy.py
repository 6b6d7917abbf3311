"""How the agent that votes goes about it: two calls in one turn, then the ballot, by the library's own ranking."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from agents.policy_model import Conversation, ToolRequest
from agents.roles import GET_FLEET_METRICS, GET_SWARM_STATE
from agents.round_brief import Brief, find_view, read_brief
from edgemind.domain.swarm.records import RANKED_LIMIT
from edgemind.domain.swarm.voter import rank


class Ballot(BaseModel):
    """A site's ranking of the candidates of a round."""

    ranking: list[str] = Field(min_length=1, max_length=RANKED_LIMIT, description="Ids of candidates, best first.")


VOTERS_TOOLS = (GET_FLEET_METRICS, GET_SWARM_STATE)


def ballot_policy(conversation: Conversation) -> Sequence[ToolRequest]:
    """DocumentInvalid if the prompt is no brief of a round."""
    brief = read_brief(conversation.prompt)
    if not conversation.answers:
        return _questions(brief)
    view = find_view(brief, conversation.answers).view
    ranking = rank(brief.candidates, view.loads, view.policy, view.since_change_ms)
    return [ToolRequest(Ballot.__name__, {"ranking": list(ranking)})]


def _questions(brief: Brief) -> list[ToolRequest]:
    # `local`: what this site knows by itself. To ask the other sites takes longer than a round has.
    questions = [ToolRequest(GET_SWARM_STATE.agent_name, {"local": True, "limit": 1})]
    # A round about whole sites has no model to ask for: the snapshot's loads are what there is.
    if brief.model:
        # Only the sites that matter: an answer about fifty takes twice the processor time.
        wanted = {"model": brief.model, "sites": sorted(brief.snapshot.loads), "local": True}
        questions.append(ToolRequest(GET_FLEET_METRICS.agent_name, wanted))
    return questions
