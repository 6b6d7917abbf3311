"""A site's voter that is a Strands agent: one agent for each ballot, tools over MCP, and a deadline."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from strands import Agent
from strands.models.model import Model

from agents.ballot_policy import VOTERS_TOOLS, Ballot, ballot_policy
from agents.lookout import Sight
from agents.mcp_connection import McpConnection
from agents.patience import OutOfPatience, Patience, TooManyHang
from agents.policy_model import PolicyModel, ToolAnswer
from agents.role_agent import CallSink, new_agent, nobody
from agents.role_tools import RoleTools
from agents.roles import VOTER
from agents.round_brief import Brief, brief_text, find_view
from agents.tool_journal import ToolJournal
from edgemind.domain.bounds import bounds, check_bounds
from edgemind.domain.swarm.ballots import ranking_length
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.swarm.votes import ToolCall, View, Vote
from edgemind.errors import TemporaryError
from edgemind.ports.clock import Clock

VOTER_NAME = "strands"
ANSWERS = (Ballot.__name__,)
REHEARSALS = 5
REHEARSAL_MS = 5000.0
REHEARSED_MODEL = "rehearsal"
"""No model of that name is needed: what counts is that the tools answer."""

log = logging.getLogger("edgemind.agents")


@dataclass(frozen=True, slots=True)
class VoteLimits:
    vote_ms: float = field(
        default=80.0,
        metadata=bounds(1, 10_000, "ms", "An agent that has no ballot by then is discarded, and the site abstains."),
    )
    turns: int = field(default=3, metadata=bounds(2, 20, "count", "How often the agent's model may be asked."))
    abandoned: int = field(
        default=8,
        metadata=bounds(1, 100, "count", "With so many discarded agents still running, the site abstains at once."),
    )

    def __post_init__(self) -> None:
        check_bounds(self)


class NoBallot(TemporaryError):
    """The agent came to no ballot that counts; the message says why."""


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
        self.told: CallSink = nobody
        """Hears of every call for a round; a rehearsal is none."""
        self.sight: Callable[[], Sight | None] = lambda: None
        """What was seen between rounds, for the brief."""
        self.voting = 0
        """Ballots under way."""
        self._patience = Patience(self._limits.abandoned)
        self._said = ""

    async def vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> Vote | None:
        self.voting += 1
        try:
            return await self._vote(fence, candidates, view)
        finally:
            self.voting -= 1

    async def _vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> Vote | None:
        started_s = self._clock.monotonic_s()
        journal = ToolJournal(VOTER, ANSWERS, lambda call: self.told(call, str(fence)))
        try:
            question = self._ask(brief_text(fence, candidates, view, self.sight()), journal)
            ballot = await self._within(self._limits.vote_ms, question, journal)
            ranking = _checked(ballot, candidates)
        except NoBallot as exc:
            self._say(f"it abstains: {exc}")
            return None
        found, calls = _basis(Brief(str(fence), tuple(candidates), view), journal.calls)
        self._say("; ".join(call.failed for call in calls if call.failed))
        took_ms = 1000 * (self._clock.monotonic_s() - started_s)
        return Vote(fence, self._site, ranking, found, VOTER_NAME, took_ms, calls)

    async def rehearse(self) -> None:
        """Give a ballot that counts nowhere, until every tool has answered: the first calls of a process import and
        compile for as long as a round takes."""
        view = View({self._site: SiteLoad(1, 0.0)})
        brief = brief_text(Fence(0, 0), (Candidate(Action.SCALE_OUT, self._site, 2, model=REHEARSED_MODEL), KEEP), view)
        for _ in range(REHEARSALS):
            journal = ToolJournal(VOTER, ANSWERS)
            with suppress(NoBallot):
                await self._within(REHEARSAL_MS, self._ask(brief, journal), journal)
            if journal.calls and not any(call.failed for call in journal.calls):
                return

    async def _ask(self, prompt: str, journal: ToolJournal) -> object:
        """What a new agent answers. It is never used again: a call that hangs would stay in its history."""
        result = await self._agent(journal).invoke_async(prompt, limits={"turns": self._limits.turns})
        return result.structured_output

    async def _within(self, limit_ms: float, work: Coroutine[Any, Any, object], journal: ToolJournal) -> object:
        try:
            return await self._patience.wait(work, limit_ms)
        except TooManyHang as exc:
            raise NoBallot(f"{exc.count} discarded agents still run") from exc
        except OutOfPatience as exc:
            raise NoBallot(f"the agent had no ballot within {limit_ms:g} ms{_hanging(journal)}") from exc
        except Exception as exc:
            raise NoBallot(f"the agent failed: {str(exc)[:300] or type(exc).__name__}") from exc

    def _agent(self, journal: ToolJournal) -> Agent:
        tools = self._tools.tools(VOTERS_TOOLS)
        return new_agent(VOTER, self._model, self._prompt, tools, Ballot, [self._tools, journal])

    def _say(self, trouble: str) -> None:
        """Once, not at each round."""
        if trouble and trouble != self._said:
            log.warning("the voter of %s: %s", self._site, trouble)
        elif self._said and not trouble:
            log.info("the voter of %s votes on what its tools say again", self._site)
        self._said = trouble


def _checked(ballot: object, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Its ranking. NoBallot if it is not a full one of these candidates."""
    if not isinstance(ballot, Ballot):
        raise NoBallot("the agent ran out of turns")
    ranking, known = tuple(ballot.ranking), {candidate.id for candidate in candidates}
    if not known.issuperset(ranking) or not len(ranking) == len(set(ranking)) == ranking_length(len(known)):
        raise NoBallot(f"what the agent answered does not rank the candidates: {', '.join(ranking)[:300]}")
    return ranking


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
