"""A connection that is lost is made again, and a call that gives nothing says why."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver import MCPServer

from agents.mcp_connection import CallLimits, McpConnection, ToolFailed
from tests.support.mcp_fleet import FleetOfTools, connected, hang

LIMITS = CallLimits(call_ms=10_000, retry_ms=1, retry_most_ms=1)


class Server:
    """A server of one tool; `answer` is what the tool does, and connecting fails `unready` times."""

    def __init__(self, answer: Callable[[], Any], unready: int = 0) -> None:
        self.made = 0
        self._answer = answer
        self._unready = unready

    def __call__(self) -> MCPServer[Any]:
        self.made += 1
        if self.made <= self._unready:
            raise ConnectionRefusedError("nobody listens")
        server: MCPServer[Any] = MCPServer("site", log_level="CRITICAL")

        async def look() -> dict[str, Any]:
            """Around."""
            answer = self._answer()
            said: dict[str, Any] = (await answer) if isinstance(answer, Coroutine) else answer
            return said

        server.add_tool(look)
        return server


def using(
    server: Server, scene: Callable[[McpConnection], Coroutine[Any, Any, Any]], limits: CallLimits = LIMITS
) -> Any:
    async def main() -> Any:
        connection = McpConnection("site", server, limits)
        task = asyncio.create_task(connection.run())
        try:
            async with asyncio.timeout(30):
                return await scene(connection)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return asyncio.run(main())


def test_it_lists_and_calls() -> None:
    async def scene(connection: McpConnection) -> Any:
        troubles = [connection.trouble]
        await connection.connected()
        troubles.append(connection.trouble)
        assert troubles == ["it is not connected yet", None]
        assert set(connection.tools) == {"look"}
        return (await connection.call("look", {})).structured_content

    assert using(Server(lambda: {"seen": 1}), scene) == {"seen": 1}


def test_before_it_is_connected_a_call_says_so() -> None:
    async def scene() -> None:
        await McpConnection("site", Server(dict)).call("look", {})

    with pytest.raises(ToolFailed, match=r"^site\.look: it is not connected yet$"):
        asyncio.run(scene())


def test_it_tries_until_somebody_listens_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "edgemind.agents")
    server = Server(lambda: {"seen": 1}, unready=4)

    async def scene(connection: McpConnection) -> Any:
        await connection.connected()
        return (await connection.call("look", {})).structured_content

    assert using(server, scene) == {"seen": 1}
    assert server.made == 5
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["site: the server is lost: nobody listens"]


def test_a_server_that_died_is_connected_again() -> None:
    """The connection's own supervision ends in the middle of a call, as it does when a server's process is killed."""
    fleet = FleetOfTools()

    async def main() -> None:
        async with connected(fleet) as connections:
            connection = connections["memory_sync"]
            client = connection._client
            assert client is not None

            async def die() -> None:
                raise anyio.ClosedResourceError

            client.call_tool = lambda *_: die()  # type: ignore[method-assign,assignment]
            with pytest.raises(ToolFailed, match="ClosedResourceError"):
                await connection.call("get_swarm_state", {})
            assert connection.trouble == "the server is lost: ClosedResourceError"
            async with asyncio.timeout(30):
                await connection.connected()
            assert connection._client is not client
            assert (await connection.call("get_swarm_state", {})).structured_content == {"since_change_ms": None}

    asyncio.run(main())


def test_a_tool_that_fails_is_an_answer_and_no_loss() -> None:
    async def scene(connection: McpConnection) -> str | None:
        await connection.connected()
        with pytest.raises(ToolFailed, match=r"^site\.look: .*"):
            await connection.call("look", {})
        with pytest.raises(ToolFailed, match=r"^site\.absent: .*"):
            await connection.call("absent", {})
        return connection.trouble

    def fail() -> None:
        raise ValueError("no")

    assert using(Server(fail), scene) is None


def test_a_result_that_is_too_large_is_refused() -> None:
    async def scene(connection: McpConnection) -> None:
        await connection.connected()
        await connection.call("look", {})

    with pytest.raises(ToolFailed, match=r"its result has 20\d\d bytes, and 1024 are allowed"):
        using(Server(lambda: {"seen": "x" * 2000}), scene, CallLimits(call_ms=10_000, result_bytes=1024))


def test_calls_that_hang_do_not_add_up() -> None:
    async def scene(connection: McpConnection) -> list[str]:
        await connection.connected()

        async def causes() -> str:
            with pytest.raises(ToolFailed) as raised:
                await connection.call("look", {})
            return str(raised.value)

        # While a call that was given up still runs, no second one is sent.
        connection._patience._left.add(asyncio.create_task(asyncio.sleep(0, None)))
        refused = await causes()
        connection._patience._left.clear()
        return [refused, await causes()]

    limits = CallLimits(call_ms=10, hanging=1)
    assert using(Server(hang), scene, limits) == [
        "site.look: 1 earlier calls of this server still hang",
        "site.look: no answer within 10 ms",
    ]


def test_limits_have_bounds() -> None:
    with pytest.raises(ValueError, match="call_ms"):
        CallLimits(call_ms=0)
