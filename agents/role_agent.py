"""An agent of a role for one task: its tools, its gate, its journal, and the shape that it answers in."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from strands import Agent
from strands.agent.conversation_manager import NullConversationManager
from strands.hooks import HookProvider
from strands.models.model import Model
from strands.types.tools import AgentTool

from agents.mcp_connection import McpConnection
from agents.policy_model import Policy, PolicyModel
from agents.role_tools import RoleTools
from agents.roles import Role, ToolName
from agents.tool_journal import ToolJournal
from edgemind.domain.swarm.votes import ToolCall
from edgemind.errors import TemporaryError

CallSink = Callable[[ToolCall, str | None], None]
"""Hears of a call, and of the fence of the round that it was made for. It neither blocks nor raises."""
TASK_S = 2.0
TURNS = 3


class TaskFailed(TemporaryError):
    """The agent came to no answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Done:
    """What the agent answered, and the calls that it made on the way."""

    answer: BaseModel
    calls: tuple[ToolCall, ...]


class RoleAgent:
    """Does one kind of task, with a new agent each time: what one leaves behind is in no other's history."""

    def __init__(
        self,
        role: Role,
        uses: Iterable[ToolName],
        connections: Mapping[str, McpConnection],
        policy: Policy,
        answer: type[BaseModel],
    ) -> None:
        self.told: CallSink = nobody
        self._role = role
        self._uses = tuple(uses)
        self._answer = answer
        self._tools = RoleTools(role, connections, (answer.__name__,))
        self._model = PolicyModel(policy)
        self._prompt = role.prompt()

    async def do(self, task: str, fence: str | None = None) -> Done:
        """Raises TaskFailed."""
        journal = ToolJournal(self._role, (self._answer.__name__,), lambda call: self.told(call, fence))
        agent = new_agent(
            self._role, self._model, self._prompt, self._tools.tools(self._uses), self._answer, [self._tools, journal]
        )
        try:
            async with asyncio.timeout(TASK_S):
                result = await agent.invoke_async(task, limits={"turns": TURNS})
        except TimeoutError as exc:
            raise TaskFailed(f"the {self._role.name} was not done within {TASK_S:g} s") from exc
        except Exception as exc:
            # The edge of another program: whatever an agent does, its site goes on without it.
            raise TaskFailed(f"the {self._role.name} failed: {str(exc)[:300] or type(exc).__name__}") from exc
        if not isinstance(result.structured_output, self._answer):
            raise TaskFailed(f"the {self._role.name} ran out of turns")
        return Done(result.structured_output, tuple(journal.calls))


def new_agent(
    role: Role,
    model: Model,
    prompt: str,
    tools: Iterable[AgentTool],
    answer: type[BaseModel],
    hooks: list[HookProvider],
) -> Agent:
    """Without anything that waits, prints, or keeps what it was told."""
    given: list[Any] = list(tools)
    return Agent(
        model=model,
        tools=given,
        system_prompt=prompt,
        structured_output_model=answer,
        name=role.name,
        hooks=[*hooks],
        callback_handler=None,
        # Its default waits 4 s before the second of six tries.
        retry_strategy=None,
        conversation_manager=NullConversationManager(),
        context_manager=False,
    )


def nobody(call: ToolCall, fence: str | None) -> None:
    """A CallSink for when nobody listens."""
