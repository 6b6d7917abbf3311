"""The stream of agents' tool calls: the newest of this site, and those of the whole metro."""

import json
from collections import deque
from collections.abc import Iterable

from edgemind.domain.agent_calls import AgentCall, AgentCallPage, shortened
from edgemind.domain.decision_ids import format_cursor
from edgemind.domain.swarm.votes import ToolCall
from edgemind.ports.clock import Clock
from edgemind.ports.peers import CallCursor, Peers
from edgemind.services.ask_sites import ask_others, silent
from edgemind.services.neighbourhood import Neighbourhood

CALLS_KEPT = 1000
"""Some 2 MB at the most, and minutes of a site that decides a round every few seconds."""


class AgentCallLog:
    """`note` is what agents are given: it neither blocks nor raises for what a tool answered."""

    def __init__(self, site: str, clock: Clock, kept: int = CALLS_KEPT) -> None:
        self._site = site
        self._clock = clock
        self._started_ms = clock.wall_ms()
        self._noted = 0
        self._calls: deque[AgentCall] = deque(maxlen=kept)

    def note(self, call: ToolCall, fence: str | None = None) -> None:
        self._noted += 1
        self._calls.append(
            AgentCall(
                # With the start's time, so that no number is used again after a restart.
                id=f"{self._site}-{self._started_ms}-{self._noted:08}",
                at_ms=self._clock.wall_ms(),
                site=self._site,
                role=call.role,
                tool=shortened(call.tool),
                arguments=_json(dict(call.arguments)),
                took_ms=round(call.took_ms, 3),
                result=None if call.failed is not None else _json(call.result),
                failed=None if call.failed is None else shortened(call.failed),
                fence=fence,
            )
        )

    def page(self, limit: int, before: CallCursor | None, fence: str | None = None) -> list[AgentCall]:
        """At most `limit`, newest first; of one round, if a `fence` is given."""
        return newest_first(self._calls, limit, before, fence)


class AgentCallFinder:
    """Reads the own log, and asks other sites' controllers for theirs."""

    def __init__(self, log: AgentCallLog, neighbourhood: Neighbourhood, peers: Peers, clock: Clock) -> None:
        self._log = log
        self._neighbourhood = neighbourhood
        self._peers = peers
        self._clock = clock

    def own_page(self, limit: int, before: CallCursor | None, fence: str | None) -> AgentCallPage:
        return _page(self._log.page(limit, before, fence), limit, [])

    async def fleet_page(self, limit: int, before: CallCursor | None, fence: str | None) -> AgentCallPage:
        """Newest first by the sites' own clocks, of every site that answers."""
        answers = await ask_others(
            self._neighbourhood,
            self._clock.monotonic_s(),
            # An older controller knows no such calls, and counts as one that does not answer.
            lambda site: self._peers.agent_calls(site, limit, before, fence),
        )
        found = self._log.page(limit, before, fence)
        for answer in answers.values():
            found.extend(answer or ())
        return _page(newest_first(found, limit, before, fence), limit, silent(answers))


def newest_first(
    calls: Iterable[AgentCall], limit: int, before: CallCursor | None, fence: str | None
) -> list[AgentCall]:
    found = [
        call for call in calls if (before is None or _place(call) < before) and (fence is None or call.fence == fence)
    ]
    return sorted(found, key=_place, reverse=True)[:limit]


def _place(call: AgentCall) -> CallCursor:
    return call.at_ms, call.id


def _page(calls: list[AgentCall], limit: int, unreachable: list[str]) -> AgentCallPage:
    last = calls[-1] if len(calls) == limit else None
    return AgentCallPage(calls, format_cursor(*_place(last)) if last else None, unreachable)


def _json(value: object) -> str:
    # ASCII: whatever a tool put there, no terminal takes it for a command.
    return shortened(json.dumps(value, default=str))
