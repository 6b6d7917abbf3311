"""The tools of MCP servers as a role's agent has them, and the gate that each of its calls passes."""

from collections.abc import Iterable, Mapping
from typing import Any

from mcp.types import Tool
from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry
from strands.types._events import ToolResultEvent
from strands.types.tools import AgentTool, ToolGenerator, ToolSpec, ToolUse

from agents.mcp_connection import McpConnection, ToolFailed
from agents.roles import Role, ToolName


class McpTool(AgentTool):
    """One tool of a connected server."""

    def __init__(self, name: ToolName, described: Tool, connection: McpConnection) -> None:
        super().__init__()
        self._name = name
        self._described = described
        self._connection = connection

    @property
    def tool_name(self) -> str:
        return self._name.agent_name

    @property
    def tool_spec(self) -> ToolSpec:
        return {
            "name": self._name.agent_name,
            "description": self._described.description or str(self._name),
            "inputSchema": {"json": self._described.input_schema},
        }

    @property
    def tool_type(self) -> str:
        return "mcp"

    async def stream(self, tool_use: ToolUse, invocation_state: dict[str, Any], **kwargs: Any) -> ToolGenerator:
        """One event: the result. A failure is a result too, with its cause as text."""
        try:
            called = await self._connection.call(self._name.tool, tool_use["input"])
        except ToolFailed as exc:
            yield ToolResultEvent(
                {"toolUseId": tool_use["toolUseId"], "status": "error", "content": [{"text": str(exc)}]}
            )
            return
        texts = [block.text for block in called.content if block.type == "text"]
        result: Any = {
            "toolUseId": tool_use["toolUseId"],
            "status": "success",
            "content": [{"text": text} for text in texts],
        }
        if called.structured_content is not None:
            result["structuredContent"] = called.structured_content
        yield ToolResultEvent(result)


class RoleTools(HookProvider):
    """What a role may call, of what is connected. `answers` are the shapes it may answer in, which are tools too.

    The agent is given its role's tools only. The gate is a second wall: whatever else finds its way into the agent is
    refused by name, and a tool that is allowed and not there says why.
    """

    def __init__(self, role: Role, connections: Mapping[str, McpConnection], answers: Iterable[str] = ()) -> None:
        self._role = role
        self._connections = connections
        self._answers = frozenset(answers)

    def tools(self, only: Iterable[ToolName] | None = None) -> list[AgentTool]:
        """Those of the role that are connected now; of these `only` some, if a task needs no more."""
        wanted = self._role.tools if only is None else self._role.tools.intersection(only)
        found = []
        for name in sorted(wanted, key=str):
            connection = self._connections.get(name.server)
            described = connection.tools.get(name.tool) if connection is not None else None
            if connection is not None and described is not None:
                found.append(McpTool(name, described, connection))
        return list(found)

    def register_hooks(self, registry: HookRegistry, **kwargs: Any) -> None:
        registry.add_callback(BeforeToolCallEvent, self._check)

    def refusal(self, agent_name: str, present: bool) -> str | None:
        """Why the role cannot call this; None if it can."""
        if agent_name in self._answers:
            return None
        name = self._role.named(agent_name)
        if name is None:
            allowed = ", ".join(sorted(str(tool) for tool in self._role.tools))
            return f"{agent_name}: the role {self._role.name} may not call it; it may call {allowed}"
        if present:
            return None
        connection = self._connections.get(name.server)
        if connection is None:
            return f"{name}: there is no server {name.server} here"
        return f"{name}: {connection.trouble or f'the server {name.server} has no such tool'}"

    def _check(self, event: BeforeToolCallEvent) -> None:
        refused = self.refusal(event.tool_use["name"], event.selected_tool is not None)
        if refused is not None:
            event.cancel_tool = refused
