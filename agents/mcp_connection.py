"""A client of one MCP server that is kept connected, on the event loop that its callers run on.

Strands' own client runs each connection in a thread of its own. Here a call stays in the controller's loop: it costs
less, it can be given up at any time, and tools that run in this process see one thread only.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import orjson
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters
from mcp.server import Server
from mcp.server.mcpserver import MCPServer
from mcp.types import CONNECTION_CLOSED, CallToolResult, TextContent, Tool

from agents.patience import OutOfPatience, Patience, TooManyHang
from edgemind.domain.bounds import bounds, check_bounds
from edgemind.errors import TemporaryError

ServerFactory = Callable[[], MCPServer[Any] | Server[Any] | StdioServerParameters | Any | str]
"""What to connect to, made anew for each connection: a server in this process, a transport of the MCP SDK, or a URL."""

PAGES_LIMIT = 16
"""Of the list of a server's tools."""

log = logging.getLogger("edgemind.agents")


class ToolFailed(TemporaryError):
    """A tool gave no result that can be used; the message names the tool and the cause."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    call_ms: float = field(default=20.0, metadata=bounds(1, 60_000, "ms", "How long a tool may take to answer."))
    connect_ms: float = field(
        default=5000.0, metadata=bounds(1, 60_000, "ms", "How long a server may take to connect and list its tools.")
    )
    retry_ms: float = field(
        default=200.0, metadata=bounds(1, 60_000, "ms", "After this a lost server is tried again; doubled each time.")
    )
    retry_most_ms: float = field(
        default=5000.0, metadata=bounds(1, 600_000, "ms", "It is tried again at least so often.")
    )
    hanging: int = field(
        default=8, metadata=bounds(1, 1000, "count", "With so many calls given up and still running, no more are sent.")
    )
    result_bytes: int = field(
        default=262_144, metadata=bounds(1024, 16_777_216, "bytes", "A result beyond this is refused.")
    )

    def __post_init__(self) -> None:
        check_bounds(self)


class McpConnection:
    """`run` keeps it connected until it is cancelled; meanwhile `call` works, or says why not."""

    def __init__(self, server: str, factory: ServerFactory, limits: CallLimits | None = None) -> None:
        self.server = server
        self.tools: Mapping[str, Tool] = {}
        """Those that the server listed when it was last connected."""
        self._factory = factory
        self._limits = limits or CallLimits()
        self._client: Client | None = None
        self._trouble = "it is not connected yet"
        self._lost = asyncio.Event()
        self._connected = asyncio.Event()
        self._patience = Patience(self._limits.hanging)

    @property
    def trouble(self) -> str | None:
        """Why it cannot be called just now."""
        return None if self._client is not None else self._trouble

    async def connected(self) -> None:
        """Return when it is."""
        await self._connected.wait()

    async def run(self) -> None:
        wait_ms = self._limits.retry_ms
        while True:
            try:
                await self._serve()
                wait_ms = self._limits.retry_ms
            except Exception as exc:  # noqa: BLE001 - the edge of another program: a site goes on without its tools
                self._disconnected(_cause(exc))
            await asyncio.sleep(wait_ms / 1000)
            wait_ms = min(2 * wait_ms, self._limits.retry_most_ms)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """The result of one call. ToolFailed, if there is none in time, or none that can be used."""
        client = self._client
        if client is None:
            raise self._failed(tool, self._trouble)
        try:
            result = await self._patience.wait(client.call_tool(tool, dict(arguments)), self._limits.call_ms)
        except TooManyHang as exc:
            raise self._failed(tool, f"{exc.count} earlier calls of this server still hang") from exc
        except OutOfPatience as exc:
            raise self._failed(tool, f"no answer within {self._limits.call_ms:g} ms") from exc
        except Exception as exc:
            # Of a client that was replaced since, it says nothing about the new one.
            if _is_loss(exc) and self._client is client:
                self._disconnected(_cause(exc))
            raise self._failed(tool, _cause(exc)) from exc
        return self._checked(tool, result)

    async def _serve(self) -> None:
        self._lost.clear()
        limit = asyncio.timeout(self._limits.connect_ms / 1000)
        async with limit, Client(self._factory()) as client:
            self.tools = await _listed(client)
            limit.reschedule(None)
            self._client = client
            self._connected.set()
            log.info("%s is connected, with %d tools", self.server, len(self.tools))
            try:
                await self._lost.wait()
            finally:
                self._client = None
                self._connected.clear()

    def _checked(self, tool: str, result: CallToolResult) -> CallToolResult:
        if result.is_error:
            raise self._failed(tool, _text(result) or "it failed and did not say why")
        size = len(orjson.dumps(result.structured_content, default=str))
        if size > self._limits.result_bytes:
            raise self._failed(tool, f"its result has {size} bytes, and {self._limits.result_bytes} are allowed")
        return result

    def _disconnected(self, cause: str) -> None:
        trouble = f"the server is lost: {cause}"
        # Once, not at each try.
        if trouble != self._trouble:
            log.warning("%s: %s", self.server, trouble)
        self._trouble = trouble
        self._client = None
        self._connected.clear()
        self._lost.set()

    def _failed(self, tool: str, cause: str) -> ToolFailed:
        return ToolFailed(f"{self.server}.{tool}: {cause}")


async def _listed(client: Client) -> dict[str, Tool]:
    tools: dict[str, Tool] = {}
    cursor = None
    for _ in range(PAGES_LIMIT):
        page = await client.list_tools(cursor=cursor)
        tools.update((tool.name, tool) for tool in page.tools)
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _is_loss(trouble: BaseException) -> bool:
    """Whether the other side is gone. A refusal, or a result that breaks the tool's own schema, is an answer."""
    if isinstance(trouble, MCPError):
        return trouble.error.code == CONNECTION_CLOSED
    return isinstance(trouble, anyio.ClosedResourceError | anyio.BrokenResourceError | anyio.EndOfStream | OSError)


def _cause(trouble: BaseException) -> str:
    while isinstance(trouble, BaseExceptionGroup) and len(trouble.exceptions) == 1:
        trouble = trouble.exceptions[0]
    return str(trouble)[:300] or type(trouble).__name__


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))[:300]
