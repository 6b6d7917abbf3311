"""An answer that is awaited piece by piece, without a socket: what is held, when the socket is read, how it ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edgemind.adapters.inference.awaited import HELD_BYTES, AwaitedAnswer
from edgemind.errors import UpstreamCut
from edgemind.ports.inference import Headers

READ_BYTES = 64 * 1024


class Begun:
    """The first byte of an answer."""

    status = 200
    headers: Headers = ()
    complete = False

    def take(self) -> bytes:
        return b"a"


class Socket:
    """The upstream's connection: it goes on reading unless it is told to pause."""

    def __init__(self) -> None:
        self.reading = True
        self.resumed = 0
        self.cancelled = False

    def pause(self) -> None:
        self.reading = False

    def resume(self) -> None:
        self.reading = True
        self.resumed += 1

    def cancel(self) -> None:
        self.cancelled = True


def answered(look: Callable[[AwaitedAnswer, Socket], Awaitable[None]]) -> None:
    async def run() -> None:
        answer, socket = AwaitedAnswer(asyncio.get_running_loop()), Socket()
        answer.on_answer(Begun())
        await answer.begun(socket)
        await look(answer, socket)

    asyncio.run(run())


def test_a_reader_that_is_slow_holds_the_upstream() -> None:
    async def look(answer: AwaitedAnswer, socket: Socket) -> None:
        for turn in range(1, 4):
            came = 0
            while socket.reading:
                answer.on_chunk(b"x" * READ_BYTES)
                came += READ_BYTES
            assert came <= HELD_BYTES + READ_BYTES
            assert len(await answer.more()) >= came
            waiting = asyncio.ensure_future(answer.more())
            await asyncio.sleep(0)
            assert socket.resumed == turn
            answer.on_chunk(b"y")
            assert await waiting == b"y"

    answered(look)


def test_what_came_before_the_cut_is_told_first() -> None:
    async def look(answer: AwaitedAnswer, socket: Socket) -> None:
        answer.on_chunk(b"b")
        answer.on_failed(UpstreamCut("died"))
        assert await answer.more() == b"ab"
        with pytest.raises(UpstreamCut, match="died"):
            await answer.more()

    answered(look)


def test_whoever_gives_up_wakes_who_waits() -> None:
    async def look(answer: AwaitedAnswer, socket: Socket) -> None:
        await answer.more()
        waiting = asyncio.ensure_future(answer.more())
        await asyncio.sleep(0)
        answer.cancel()
        with pytest.raises(UpstreamCut, match="given up"):
            await waiting
        assert socket.cancelled

    answered(look)


def test_a_reader_that_is_cancelled_ends_the_request() -> None:
    async def look(answer: AwaitedAnswer, socket: Socket) -> None:
        await answer.more()
        waiting = asyncio.ensure_future(answer.more())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert socket.cancelled

    answered(look)


def test_a_whole_answer_ends_nothing() -> None:
    async def look(answer: AwaitedAnswer, socket: Socket) -> None:
        answer.on_chunk(b"b")
        answer.on_end()
        assert await answer.whole(2) == b"ab"
        assert not socket.cancelled

    answered(look)
