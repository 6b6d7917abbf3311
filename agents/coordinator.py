"""The decision coordinator's part: once a round is over, it has it remembered and logged, over MCP.

Nothing waits for it. What it cannot get remembered that way, the site remembers without it.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from agents.mcp_connection import McpConnection
from agents.policy_model import Conversation, ToolRequest
from agents.role_agent import RoleAgent, TaskFailed
from agents.roles import COORDINATOR, LOG_EVENT, REMEMBER
from edgemind.domain.agent_memory import Memory, MemoryKind
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.round_memories import memories_of_round

AFTER_S = 0.5
"""After a round: its announcements and effects come first, and what follows at once is told in one go."""
WAITING_LIMIT = 64
KNOWN_LIMIT = 2048

log = logging.getLogger("edgemind.agents")


class Told(BaseModel):
    """What came of it."""

    remembered: int
    logged: bool


def coordinator_policy(conversation: Conversation) -> Sequence[ToolRequest]:
    """Remember each thing that the prompt lists, and log what was decided; then say what came of it."""
    if not conversation.answers:
        return [ToolRequest(one["tool"], one["arguments"]) for one in json.loads(conversation.prompt)["calls"]]
    worked = [answer.tool for answer in conversation.answers if answer.failed is None]
    remembered = worked.count(REMEMBER.agent_name)
    return [ToolRequest(Told.__name__, {"remembered": remembered, "logged": LOG_EVENT.agent_name in worked})]


class DecisionCoordinator:
    """`round_over` is called with each record of a round that is over, from the event loop that runs `run`."""

    def __init__(self, connections: Mapping[str, McpConnection]) -> None:
        self.otherwise: Callable[[Memory], object] = lambda _: None
        """Takes what the tool did not."""
        self.busy: Callable[[], bool] = lambda: False
        """Says when to wait a little, since the next round is under way."""
        self.agent = RoleAgent(COORDINATOR, (REMEMBER, LOG_EVENT), connections, coordinator_policy, Told)
        self._waiting: asyncio.Queue[list[Memory]] = asyncio.Queue(WAITING_LIMIT)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._said = ""

    def round_over(self, record: RoundRecord) -> None:
        new = [one for one in memories_of_round(record, COORDINATOR.name) if one.id not in self._known]
        if not new:
            return
        self._known.update((one.id, None) for one in new)
        while len(self._known) > KNOWN_LIMIT:
            self._known.popitem(last=False)
        try:
            self._waiting.put_nowait(new)
        except asyncio.QueueFull:
            self._without_agent(new)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            memories = await self._waiting.get()
            await asyncio.sleep(AFTER_S)
            while self.busy():  # noqa: ASYNC110 - it may well be seldom, and nothing waits for this
                await asyncio.sleep(AFTER_S)
            await self.tell(memories)

    async def tell(self, memories: Sequence[Memory]) -> None:
        """Have them remembered, one way or the other. All are of one round."""
        try:
            done = await self.agent.do(_task(memories), memories[0].fence)
        except TaskFailed as exc:
            self._say(str(exc))
            self._without_agent(memories)
            return
        kept = {call.arguments.get("text") for call in done.calls if call.tool == str(REMEMBER) and not call.failed}
        self._without_agent([one for one in memories if one.text not in kept])
        self._say("; ".join(call.failed for call in done.calls if call.failed))

    def _without_agent(self, memories: Sequence[Memory]) -> None:
        for one in memories:
            self.otherwise(one)

    def _say(self, trouble: str) -> None:
        """Once, not at each round."""
        if trouble and trouble != self._said:
            log.warning("the decision coordinator: %s", trouble)
        self._said = trouble


def _task(memories: Sequence[Memory]) -> str:
    calls: list[dict[str, Any]] = [
        {
            "tool": REMEMBER.agent_name,
            "arguments": {"text": one.text, "kind": one.kind.value, "round": one.fence},
        }
        for one in memories
    ]
    calls += [
        {"tool": LOG_EVENT.agent_name, "arguments": {"event": one.text, "round": one.fence}}
        for one in memories
        if one.kind is MemoryKind.OUTCOME
    ]
    return json.dumps({"task": "Have this remembered and logged.", "calls": calls})
