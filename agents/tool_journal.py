"""Every tool call of an agent, as the journal of rounds keeps it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from strands.hooks import AfterToolCallEvent, HookProvider, HookRegistry

from agents.policy_model import result_text
from agents.roles import Role
from edgemind.domain.swarm.votes import ToolCall


class ToolJournal(HookProvider):
    """Hooks of one agent. `answers` are shapes to answer in, which Strands calls like tools and which are none.

    `told` hears of each call when it ends; a call that ends after its agent was discarded, too.
    """

    def __init__(self, role: Role, answers: Iterable[str] = (), told: Callable[[ToolCall], None] | None = None) -> None:
        self._told = told
        self.calls: list[ToolCall] = []
        """In the order in which they ended, the refused ones with them."""
        self._role = role
        self._answers = frozenset(answers)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        registry.add_callback(AfterToolCallEvent, self._note)

    def _note(self, event: AfterToolCallEvent) -> None:
        use, result = event.tool_use, event.result
        if use["name"] in self._answers:
            return
        name = self._role.named(use["name"])
        arguments: Any = use["input"]
        failed = result["status"] != "success"
        call = ToolCall(
            role=self._role.name,
            tool=str(name) if name is not None else use["name"],
            arguments=arguments if isinstance(arguments, Mapping) else {},
            result=None if failed else _content(result),
            took_ms=1000 * (event.duration or 0.0),
            failed=(result_text(result) or "it failed and did not say why") if failed else None,
        )
        self.calls.append(call)
        if self._told is not None:
            self._told(call)


def _content(result: Any) -> object:
    """The structured content; of a tool without one, its text."""
    data = result.get("structuredContent")
    return result_text(result) if data is None else data
