"""Servers that an agent cannot use, or that have changed: what it is told names the tool and the cause."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp.types import CallToolResult, ListToolsResult, TextContent, Tool

from agents.mcp_connection import CallLimits, McpConnection, ServerFactory, ToolFailed
from agents.role_tools import RoleTools
from agents.roles import GET_SWARM_STATE, VOTER
from tests.support.mcp_http import serving

LIMITS = CallLimits(call_ms=10_000, retry_ms=1, retry_most_ms=20)


def using(factory: ServerFactory, scene: Callable[[McpConnection], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        connection = McpConnection("memory_sync", factory, LIMITS)
        task = asyncio.create_task(connection.run())
        try:
            async with asyncio.timeout(30):
                return await scene(connection)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(main())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving("memory_sync") as address:
        yield address


def over_http(url: str, token: str | None) -> ServerFactory:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return lambda: streamable_http_client(url, http_client=httpx2.AsyncClient(headers=headers))


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_server_that_does_not_know_the_token_is_not_connected_and_says_why(url: str, token: str | None) -> None:
    async def scene(connection: McpConnection) -> str:
        for _ in range(10_000):
            if connection.trouble != "it is not connected yet":
                break
            await asyncio.sleep(0)
        with pytest.raises(ToolFailed) as raised:
            await connection.call("get_swarm_state", {})
        return str(raised.value)

    said = using(over_http(url, token), scene)
    assert said.startswith("memory_sync.get_swarm_state: the server is lost: ")
    assert "401: " in said
    assert "fleet.tokens" in said, "and what to do"


def test_a_token_whose_role_is_too_low_is_refused_and_the_connection_stays(url: str) -> None:
    async def scene(connection: McpConnection) -> str:
        await connection.connected()
        with pytest.raises(ToolFailed) as raised:
            await connection.call("remember", {"text": "x"})
        assert (await connection.call("get_swarm_state", {"local": True})).structured_content is not None
        return str(raised.value)

    said = using(over_http(url, "look"), scene)
    assert said.startswith("memory_sync.remember: ")
    assert "needs the operator role, and this caller is viewer: look is not enough" in said


def test_an_argument_that_a_newer_server_no_longer_takes_is_named(url: str) -> None:
    async def scene(connection: McpConnection) -> None:
        await connection.connected()
        await connection.call("get_swarm_state", {"nearby": True})

    with pytest.raises(ToolFailed, match=r"^memory_sync\.get_swarm_state: (?s:.*)nearby"):
        using(over_http(url, "look"), scene)


def drifting(result: dict[str, Any] | None) -> Server[Any]:
    """Its tool promises a number, and tells something else."""
    shape = {"type": "object", "properties": {"since_change_ms": {"type": "number"}}, "required": ["since_change_ms"]}
    tool = Tool(name="get_swarm_state", description="x", input_schema={"type": "object"}, output_schema=shape)

    async def listed(*_: Any) -> ListToolsResult:
        return ListToolsResult(tools=[tool])

    async def called(*_: Any) -> CallToolResult:
        return CallToolResult(content=[TextContent(type="text", text="told")], structured_content=result)

    return Server("memory_sync", on_list_tools=listed, on_call_tool=called)


@pytest.mark.parametrize("told", [{"since_change_ms": "long ago"}, {"since": 5}, None])
def test_a_result_that_is_not_as_its_own_schema_says_is_refused_and_the_connection_stays(
    told: dict[str, Any] | None,
) -> None:
    async def scene(connection: McpConnection) -> str:
        await connection.connected()
        with pytest.raises(ToolFailed) as raised:
            await connection.call("get_swarm_state", {})
        assert connection.trouble is None
        return str(raised.value)

    assert using(lambda: drifting(told), scene).startswith("memory_sync.get_swarm_state: ")


def test_a_tool_that_a_server_no_longer_has_is_named_by_the_roles_gate() -> None:
    server: MCPServer[Any] = MCPServer("memory_sync", log_level="CRITICAL")

    async def scene(connection: McpConnection) -> str | None:
        await connection.connected()
        tools = RoleTools(VOTER, {"memory_sync": connection})
        assert tools.tools([GET_SWARM_STATE]) == []
        return tools.refusal(GET_SWARM_STATE.agent_name, present=False)

    said = using(lambda: server, scene)
    assert said == "memory_sync.get_swarm_state: the server memory_sync has no such tool"
