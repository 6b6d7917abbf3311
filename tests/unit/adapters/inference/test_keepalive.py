import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.keepalive import KeepAlivePool
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
HEAD = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n"
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Server:
    """A server on a free port; `behave` serves each connection, `connections` counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self, behave: Behave) -> AsyncIterator["Server"]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                await behave(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


async def request_of(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(2)


async def answers_always(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await request_of(reader)
        writer.write(OK)


async def answers_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(OK)
    await writer.drain()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until it is so: what the pool does on its own has no event to wait for."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


def pool_of(server: Server, **limits: Any) -> KeepAlivePool:
    return KeepAlivePool(server.url, ClientLimits(**limits), asyncio.get_running_loop())


def test_one_connection_serves_one_request_after_another() -> None:
    async def run() -> None:
        async with Server().serving(answers_always) as server:
            pool = pool_of(server)
            for _ in range(5):
                answer = await pool.send(HEAD, b"{}")
                assert (answer.status, answer.take(), answer.complete) == (200, b"hello", True)
            assert server.connections == 1
            await pool.close()

    asyncio.run(run())


def test_requests_at_once_take_a_connection_each_and_the_newest_idle_one_is_used_first() -> None:
    async def run() -> None:
        async with Server().serving(answers_always) as server:
            pool = pool_of(server)
            await asyncio.gather(*(pool.send(HEAD, b"{}") for _ in range(4)))
            assert (server.connections, len(pool._idle)) == (4, 4)
            newest = pool._idle[-1]
            await pool.send(HEAD, b"{}")
            assert pool._idle[-1] is newest
            await pool.close()

    asyncio.run(run())


def test_an_idle_connection_that_the_server_closed_costs_nobody_an_error() -> None:
    async def run() -> None:
        async with Server().serving(answers_once) as server:
            pool = pool_of(server)
            for _ in range(10):
                assert (await pool.send(HEAD, b"{}")).take() == b"hello"
            await pool.close()

    asyncio.run(run())


def test_nobody_listening_is_unreachable() -> None:
    async def run() -> None:
        server = Server()
        async with server.serving(answers_always):
            pass
        with pytest.raises(UpstreamUnreachable, match="cannot be reached"):
            await pool_of(server).send(HEAD, b"{}")
        nowhere = KeepAlivePool("http://no-such-host.invalid:1", ClientLimits(), asyncio.get_running_loop())
        with pytest.raises(UpstreamUnreachable):
            await nowhere.send(HEAD, b"{}")

    asyncio.run(run())


def test_connections_are_bounded() -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        async with Server().serving(hangs) as server:
            pool = pool_of(server, max_connections=2)
            waiting = [asyncio.create_task(pool.send(HEAD, b"{}")) for _ in range(2)]
            await until(lambda: len(pool._all) == 2)
            with pytest.raises(UpstreamFailed, match="all 2 connections"):
                await pool.send(HEAD, b"{}")
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            await until(lambda: not pool._all)

    asyncio.run(run())


def test_cancelling_whoever_waits_closes_the_connection() -> None:
    left = asyncio.Event()

    async def until_left(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        assert not await reader.read(1)
        left.set()

    async def run() -> None:
        async with Server().serving(until_left) as server:
            pool = pool_of(server)
            waiting = asyncio.create_task(pool.send(HEAD, b"{}"))
            await until(lambda: bool(pool._all))
            waiting.cancel()
            await left.wait()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(run())


async def streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Two pieces, and the end; at the second request the connection ends with the second piece."""
    for end in (b"0\r\n\r\n", b""):
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n")
        await writer.drain()
        writer.write(b"2\r\ncd\r\n" + end)


def test_a_stream_comes_to_its_end_or_its_cut() -> None:
    async def run() -> None:
        async with Server().serving(streams) as server:
            pool = pool_of(server)
            answer = await pool.send(HEAD, b"{}")
            assert await answer.whole(100) == b"abcd"
            assert await answer.more() == b""
            answer = await pool.send(HEAD, b"{}")
            with pytest.raises(UpstreamCut, match="died"):
                await answer.whole(100)

    asyncio.run(run())


async def never_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A megabyte at a time, for as long as somebody reads."""
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 1024 * 1024)
        await writer.drain()


def test_an_answer_that_is_too_long_is_given_up_at_once() -> None:
    async def run() -> None:
        async with Server().serving(never_ends) as server:
            pool = pool_of(server)
            answer = await pool.send(HEAD, b"{}")
            with pytest.raises(UpstreamCut, match="longer than 1000 bytes"):
                await answer.whole(1000)
            assert pool._idle == []
            calls = HttpCalls(UpstreamPools(ClientLimits()))
            with pytest.raises(UpstreamFailed, match="longer than"):
                await calls.call("PUT", server.url, timeout_s=60.0, body=b"{}")

    asyncio.run(run())


def test_the_sweep_enforces_the_limits() -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        async with Server().serving(hangs) as server:
            pool = pool_of(server, first_byte_s=0.0)
            waiting = asyncio.create_task(pool.send(HEAD, b"{}"))
            await until(lambda: bool(pool._all))
            pool.sweep()
            with pytest.raises(UpstreamFailed, match="time limit"):
                await waiting

    asyncio.run(run())


def test_a_closed_pool_keeps_no_connection() -> None:
    async def run() -> None:
        async with Server().serving(answers_always) as server:
            pool = pool_of(server)
            await pool.send(HEAD, b"{}")
            await pool.close()
            await pool.send(HEAD, b"{}")
            assert pool._idle == []

    asyncio.run(run())


def test_urls_of_one_origin_share_a_pool_and_new_limits_reach_it() -> None:
    async def run() -> None:
        pools = UpstreamPools(ClientLimits())
        first, second = pools("http://a:1/v1"), pools("http://a:1")
        assert first is second
        assert first is not pools("https://a:1")
        pools.use_limits(ClientLimits(connect_s=9.0))
        assert first.limits.connect_s == pools("http://b:1").limits.connect_s == 9.0
        await pools.close()

    asyncio.run(run())
