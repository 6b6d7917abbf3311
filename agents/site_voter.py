"""A site's voter that is a Strands agent: one agent for each ballot, tools over MCP, and a deadline."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from strands import Agent
from strands.agent.agent_result import AgentResult
from strands.agent.conversation_manager import NullConversationManager
from strands.models.model import Model

from agents.ballot_policy import VOTERS_TOOLS, Ballot, ballot_policy
from agents.mcp_connection import McpConnection
from agents.policy_model import PolicyModel, ToolAnswer
from agents.role_tools import RoleTools
from agents.roles import VOTER
from agents.round_brief import Brief, brief_text, find_view
from agents.tool_journal import ToolJournal
from edgemind.domain.bounds import bounds, check_bounds
from edgemind.domain.swarm.ballots import ranking_length
from edgemind.domain.swarm.records import Candidate, Fence
from edgemind.domain.swarm.votes import ToolCall, View, Vote
from edgemind.ports.clock import Clock

VOTER_NAME = "strands"
ANSWERS = (Ballot.__name__,)

log = logging.getLogger("edgemind.agents")


@dataclass(frozen=True, slots=True)
class VoteLimits:
    vote_ms: float = field(
        default=40.0,
        metadata=bounds(1, 10_000, "ms", "An agent that has no ballot by then is discarded, and the site abstains."),
    )
    turns: int = field(default=3, metadata=bounds(2, 20, "count", "How often the agent's model may be asked."))
    abandoned: int = field(
        default=8,
        metadata=bounds(1, 100, "count", "With so many discarded agents still running, the site abstains at once."),
    )

    def __post_init__(self) -> None:
        check_bounds(self)


class StrandsVoter:
    """`ports.voter.Voter`. Never raises, but for being cancelled: a site that cannot vote abstains, and logs why."""

    def __init__(
        self,
        site: str,
        connections: Mapping[str, McpConnection],
        clock: Clock,
        limits: VoteLimits | None = None,
        model: Model | None = None,
    ) -> None:
        self._site = site
        self._clock = clock
        self._limits = limits or VoteLimits()
        self._model = model or PolicyModel(ballot_policy)
        self._tools = RoleTools(VOTER, connections, ANSWERS)
        self._prompt = VOTER.prompt()
        self._abandoned: set[asyncio.Task[AgentResult]] = set()
        self._said = ""

    async def vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> Vote | None:
        if not candidates:
            return None
        if len(self._abandoned) >= self._limits.abandoned:
            return self._abstain(f"{len(self._abandoned)} discarded agents still run")
        started_s = self._clock.monotonic_s()
        journal = ToolJournal(VOTER, ANSWERS)
        # A task of its own, since an agent may be deaf to being cancelled. It is never used again: a call that hangs
        # would stay in its history.
        agent = self._agent(journal)
        question = agent.invoke_async(brief_text(fence, candidates, view), limits={"turns": self._limits.turns})
        task = asyncio.create_task(question)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._limits.vote_ms / 1000)
        except asyncio.CancelledError:
            self._discard(task)
            raise
        if not done:
            self._discard(task)
            return self._abstain(f"the agent had no ballot within {self._limits.vote_ms:g} ms{_hanging(journal)}")
        ranking = self._ranking(task, candidates)
        if ranking is None:
            return None
        found, calls = _basis(Brief(str(fence), tuple(candidates), view), journal.calls)
        self._say("; ".join(call.failed for call in calls if call.failed))
        took_ms = 1000 * (self._clock.monotonic_s() - started_s)
        return Vote(fence, self._site, ranking, found, VOTER_NAME, took_ms, calls)

    def _agent(self, journal: ToolJournal) -> Agent:
        return Agent(
            model=self._model,
            tools=list(self._tools.tools(VOTERS_TOOLS)),
            system_prompt=self._prompt,
            structured_output_model=Ballot,
            name=VOTER.name,
            hooks=[self._tools, journal],
            callback_handler=None,
            # Its default waits 4 s before the second of six tries.
            retry_strategy=None,
            conversation_manager=NullConversationManager(),
            context_manager=False,
        )

    def _ranking(self, task: asyncio.Task[AgentResult], candidates: Sequence[Candidate]) -> tuple[str, ...] | None:
        trouble = task.exception()
        if trouble is not None:
            self._abstain(f"the agent failed: {str(trouble)[:300] or type(trouble).__name__}")
            return None
        ballot = task.result().structured_output
        if not isinstance(ballot, Ballot):
            self._abstain(f"the agent gave no ballot within {self._limits.turns} turns")
            return None
        ranking, known = tuple(ballot.ranking), {candidate.id for candidate in candidates}
        if not known.issuperset(ranking) or not len(ranking) == len(set(ranking)) == ranking_length(len(known)):
            self._abstain(f"the agent's ballot is no ranking of the candidates: {', '.join(ranking)[:300]}")
            return None
        return ranking

    def _discard(self, task: asyncio.Task[AgentResult]) -> None:
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)
        task.add_done_callback(_look_at)
        task.cancel()

    def _abstain(self, why: str) -> None:
        self._say(f"it abstains: {why}")

    def _say(self, trouble: str) -> None:
        """Once, not at each round."""
        if trouble and trouble != self._said:
            log.warning("the voter of %s: %s", self._site, trouble)
        elif self._said and not trouble:
            log.info("the voter of %s votes on what its tools say again", self._site)
        self._said = trouble


def _basis(brief: Brief, calls: Sequence[ToolCall]) -> tuple[View, tuple[ToolCall, ...]]:
    """What the ballot rests on, and the calls, with those marked whose results could not be used."""
    names = {str(tool): tool.agent_name for tool in VOTERS_TOOLS}
    answers = [
        ToolAnswer(names[call.tool], call.result if isinstance(call.result, Mapping) else None, call.failed)
        for call in calls
        if call.tool in names
    ]
    found = find_view(brief, answers)
    marked = tuple(
        replace(call, failed=f"{found.unusable[names[call.tool]]}; the snapshot stands for it")
        if names.get(call.tool) in found.unusable
        else call
        for call in calls
    )
    return found.view, marked


def _hanging(journal: ToolJournal) -> str:
    answered = {call.tool for call in journal.calls}
    hanging = [str(tool) for tool in VOTERS_TOOLS if str(tool) not in answered]
    return f"; no answer of {', '.join(hanging)}" if hanging else ""


def _look_at(task: asyncio.Task[AgentResult]) -> None:
    # Nobody waits for it any more: an exception that no one looked at would be logged as a fault of ours.
    with suppress(asyncio.CancelledError):
        task.exception()
