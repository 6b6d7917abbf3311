"""What the resource monitor and the cache manager see between rounds, over the same tools that a ballot calls.

A server that was lost is noticed here, and connected again before a round needs it. What they saw stands in the brief
of the next round while it is fresh. The library's ranking does not use it, for the library's own voter has no lookout
and both give the same ballots; a policy of an operator's own may.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from agents.mcp_connection import McpConnection
from agents.policy_model import Conversation, ToolRequest
from agents.role_agent import Done, RoleAgent, TaskFailed
from agents.roles import CACHE_MANAGER, CHECK_THRESHOLDS, GET_SWARM_STATE, LIST_MODELS, MONITOR
from edgemind.ports.clock import Clock

LOOK_S, CACHE_LOOK_S = 2.0, 10.0
FRESH_MS = 5000.0
"""What is older says nothing of a breach that was confirmed a moment ago."""
UNREADY_KEPT_S = 2 * CACHE_LOOK_S
"""One look that fails leaves the one before."""
LISTED_LIMIT = 20

log = logging.getLogger("edgemind.agents")


class Anomalies(BaseModel):
    """Thresholds that this site's models are above, in one look."""

    anomalies: list[str] = Field(max_length=LISTED_LIMIT)


class Unready(BaseModel):
    """Models and sites that hold them and could not answer at once."""

    unready: list[str] = Field(max_length=LISTED_LIMIT)


@dataclass(frozen=True, slots=True)
class Sight:
    """`anomalies` were seen `age_ms` ago. `unready` may be as old as UNREADY_KEPT_S; None if it is not known."""

    age_ms: float
    anomalies: tuple[str, ...]
    unready: tuple[str, ...] | None


def monitor_policy(conversation: Conversation) -> Sequence[ToolRequest]:
    if not conversation.answers:
        site = json.loads(conversation.prompt)["site"]
        return [
            ToolRequest(CHECK_THRESHOLDS.agent_name, {"site": site}),
            ToolRequest(GET_SWARM_STATE.agent_name, {"local": True, "limit": 1}),
        ]
    report = _told(conversation, CHECK_THRESHOLDS.agent_name)
    found = [
        f"{one['model']}: {check['name']} {check['measured']:.4g} above {check['threshold']:.4g}"
        for one in report.get("models", ())
        for check in one["checks"]
        if check["breached"]
    ]
    return [ToolRequest(Anomalies.__name__, {"anomalies": found[:LISTED_LIMIT]})]


def cache_policy(conversation: Conversation) -> Sequence[ToolRequest]:
    if not conversation.answers:
        return [ToolRequest(LIST_MODELS.agent_name, {"limit": 200})]
    told = _told(conversation, LIST_MODELS.agent_name)
    found = [
        f"{one['model']} at {held['site']}"
        for one in told.get("models", ())
        for held in one["held_at"]
        if not held["ready"]
    ]
    return [ToolRequest(Unready.__name__, {"unready": found[:LISTED_LIMIT]})]


class Lookout:
    """`run` looks until it is cancelled; `busy` says when not to, since a round is under way."""

    def __init__(self, site: str, connections: Mapping[str, McpConnection], clock: Clock) -> None:
        self.busy: Callable[[], bool] = lambda: False
        self.monitor = RoleAgent(MONITOR, (CHECK_THRESHOLDS, GET_SWARM_STATE), connections, monitor_policy, Anomalies)
        self.cache_manager = RoleAgent(CACHE_MANAGER, (LIST_MODELS,), connections, cache_policy, Unready)
        self._clock = clock
        self._task = json.dumps({"task": "Look how this site is.", "site": site})
        self._anomalies: tuple[float, tuple[str, ...]] | None = None
        self._unready: tuple[float, tuple[str, ...]] | None = None
        self._looked_at_cache_s: float | None = None
        self._said = ""

    def sight(self) -> Sight | None:
        """None if the last look is too old, or failed."""
        if self._anomalies is None:
            return None
        now_s = self._clock.monotonic_s()
        at_s, anomalies = self._anomalies
        age_ms = 1000.0 * (now_s - at_s)
        unready = self._unready
        if unready is not None and now_s - unready[0] > UNREADY_KEPT_S:
            unready = None
        return Sight(age_ms, anomalies, unready and unready[1]) if age_ms <= FRESH_MS else None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if not self.busy():
                await self.look()

    async def look(self) -> None:
        """Once; a look that fails leaves the one before, until that is too old."""
        now_s = self._clock.monotonic_s()
        try:
            done = await self.monitor.do(self._task)
            if _saw(done):
                self._anomalies = now_s, tuple(_answer(done.answer, "anomalies"))
            if self._looked_at_cache_s is None or now_s - self._looked_at_cache_s >= CACHE_LOOK_S:
                self._looked_at_cache_s = now_s
                done = await self.cache_manager.do(self._task)
                if _saw(done):
                    self._unready = now_s, tuple(_answer(done.answer, "unready"))
        except TaskFailed as exc:
            if str(exc) != self._said:
                log.warning("%s", exc)
            self._said = str(exc)


def _saw(done: Done) -> bool:
    """Without its tools an agent has seen nothing, which is another matter than that all is well."""
    return not any(call.failed for call in done.calls)


def _told(conversation: Conversation, tool: str) -> Mapping[str, Any]:
    """What a tool told; nothing if it failed."""
    return next((one.data for one in conversation.answers if one.tool == tool and one.data is not None), {})


def _answer(answer: BaseModel, name: str) -> list[str]:
    found: list[str] = getattr(answer, name)
    return found
