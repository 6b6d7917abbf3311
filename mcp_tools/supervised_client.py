"""A client whose server may die and return: every call has a time limit and an error with a cause; the next reconnects.

The SDK's own client stays dead once its server has died, even after that one is back.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from mcp.client import Client
from mcp.types import CallToolResult, TextContent

from edgemind.errors import PermanentError, TemporaryError, UpstreamUnreachable

RETRY_S = 1.0
"""After a failure to connect the next attempt is made no sooner: a server that is down is not asked at every call."""


class ToolRefused(PermanentError):
    """The tool itself said no: the same call again will not help."""


class _Connection:
    """One life of an SDK client, in a task of its own: the SDK wants it closed by the task that opened it."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self.opened: asyncio.Future[Client | str] = asyncio.get_running_loop().create_future()
        """The client, or why there is none."""
        self.over = asyncio.Event()
        self.task = asyncio.create_task(self._live(connect))

    async def _live(self, connect: Callable[[], Client]) -> None:
        try:
            async with connect() as client:
                self._settle(client)
                await self.over.wait()
        except Exception as exc:  # noqa: BLE001 - the edge to the SDK: it wraps what it meets in groups
            self._settle(_innermost(exc))
        finally:
            self.over.set()
            self._settle("it was given up")

    def _settle(self, outcome: Client | str) -> None:
        if not self.opened.done():
            self.opened.set_result(outcome)


class SupervisedClient:
    """Made by `supervised`. Nothing is connected before the first call."""

    def __init__(self, server: str, connect: Callable[[], Client], timeout_s: float, retry_s: float) -> None:
        self._server = server
        self._connect = connect
        self._timeout_s = timeout_s
        self._retry_s = retry_s
        self._connection: _Connection | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._not_before_s = 0.0

    async def call(self, tool: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """The tool's structured result.

        Raises ToolRefused with what it said; TemporaryError, naming server, tool and cause, if no answer came in time.
        """
        limit = asyncio.timeout(self._timeout_s)
        try:
            async with limit:
                result = await (await self._client()).call_tool(tool, dict(arguments))
        except Exception as exc:
            # Whatever was raised here, the connection is not to be trusted with the next call.
            self._give_up()
            why = f"no answer within {self._timeout_s:g} s" if limit.expired() else _innermost(exc)
            raise TemporaryError(f"{self._server}: {tool}: {why}", self._retry_s) from exc
        return _structured(self._server, tool, result)

    async def close(self) -> None:
        self._give_up()
        for task in self._ending:
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _client(self) -> Client:
        """Raises UpstreamUnreachable if there is none."""
        connection = self._connection
        if connection is None or connection.over.is_set():
            now_s = asyncio.get_running_loop().time()
            if now_s < self._not_before_s:
                raise UpstreamUnreachable("cannot be reached, and is not asked again yet")
            self._not_before_s = now_s + self._retry_s
            self._give_up()
            connection = self._connection = _Connection(self._connect)
        opened = await asyncio.shield(connection.opened)
        if isinstance(opened, str):
            raise UpstreamUnreachable(f"cannot be reached: {opened}")
        self._not_before_s = 0.0
        return opened

    def _give_up(self) -> None:
        if self._connection is None:
            return
        task = self._connection.task
        self._connection.over.set()
        if not self._connection.opened.done():
            task.cancel()
        self._connection = None
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


@contextlib.asynccontextmanager
async def supervised(
    server: str, connect: Callable[[], Client], timeout_s: float, retry_s: float = RETRY_S
) -> AsyncIterator[SupervisedClient]:
    """`connect` makes a new client each time it is called: `lambda: Client(url)`, or of a command."""
    client = SupervisedClient(server, connect, timeout_s, retry_s)
    try:
        yield client
    finally:
        await client.close()


def _structured(server: str, tool: str, result: CallToolResult) -> dict[str, Any]:
    said = " ".join(part.text for part in result.content if isinstance(part, TextContent))
    if result.is_error:
        raise ToolRefused(f"{server}: {said}")
    if not isinstance(result.structured_content, dict):
        raise TemporaryError(f"{server}: {tool}: its result is malformed: {said[:200]}", RETRY_S)
    return result.structured_content


def _innermost(exc: BaseException) -> str:
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return str(exc) or type(exc).__name__
