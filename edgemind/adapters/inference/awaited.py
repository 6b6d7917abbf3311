"""An answer for callers that await instead of taking callbacks: controllers, command-line tools, device traffic."""

import asyncio
from collections.abc import Callable

from edgemind.errors import UpstreamFailed
from edgemind.ports.inference import Answer, Headers, PendingRequest

HELD_BYTES = 256 * 1024
"""Body bytes held before somebody relays them; past that the socket is not read."""


class AwaitedAnswer:
    """The sink of one request, and what `ports.inference` calls UpstreamResponse."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] = loop.create_future()
        self._pending: PendingRequest | None = None
        self._push: Callable[[bytes], None] | None = None
        self._held = bytearray()
        self._error: Exception | None = None
        self.status = 0
        self.headers: Headers = ()
        self.complete = False

    async def begun(self, pending: PendingRequest) -> None:
        """Wait for the first body byte. Raises UpstreamFailed; cancelling the caller cancels the request."""
        self._pending = pending
        try:
            await self._waiter
        except asyncio.CancelledError:
            pending.cancel()
            raise
        if isinstance(self._error, UpstreamFailed):
            raise self._error

    def take(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        return held

    async def relay(self, push: Callable[[bytes], None]) -> None:
        """Hand over every further chunk; return at the clean end. Raises UpstreamCut."""
        if self._held:
            push(self.take())
        if not self.complete and self._error is None:
            self._push = push
            self._waiter = self._loop.create_future()
            if self._pending is not None:
                self._pending.resume()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.cancel()
                raise
        if self._error is not None:
            raise self._error

    def cancel(self) -> None:
        if not self.complete and self._pending is not None:
            self._pending.cancel()

    # AnswerSink

    def on_answer(self, answer: Answer) -> None:
        self.status, self.headers, self.complete = answer.status, answer.headers, answer.complete
        self._held += answer.take()
        self._wake()

    def on_chunk(self, chunk: bytes) -> None:
        if self._push is not None:
            self._push(chunk)
            return
        self._held += chunk
        if len(self._held) > HELD_BYTES and self._pending is not None:
            self._pending.pause()

    def on_end(self) -> None:
        self.complete = True
        self._wake()

    def on_failed(self, error: Exception) -> None:
        self._error = error
        self._wake()

    def _wake(self) -> None:
        if self.complete or self._error is not None:
            # The request holds this object as its sink: let go, or only the garbage collector could free the two.
            self._pending = None
        if not self._waiter.done():
            self._waiter.set_result(None)
