"""An answer for callers that await instead of taking callbacks: controllers, command-line tools, device traffic."""

import asyncio

from edgemind.errors import UpstreamCut, UpstreamFailed
from edgemind.ports.inference import ANSWER_LIMIT_BYTES, Answer, Headers, PendingRequest

HELD_BYTES = 256 * 1024
"""Body bytes held for whoever awaits them; past that the socket is not read."""


class AwaitedAnswer:
    """The sink of one request, and what `ports.inference` calls UpstreamResponse."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[None] = loop.create_future()
        self._pending: PendingRequest | None = None
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

    async def more(self) -> bytes:
        """What has come since the last look, at least a byte; nothing at the clean end. Raises UpstreamCut."""
        while not self._held and not self.complete:
            if self._error is not None:
                raise self._error
            self._waiter = self._loop.create_future()
            if self._pending is not None:
                self._pending.resume()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.cancel()
                raise
        return self.take()

    async def whole(self, limit: int = ANSWER_LIMIT_BYTES) -> bytes:
        """Everything that comes, given up past `limit` bytes. Raises UpstreamCut."""
        body = bytearray()
        try:
            while chunk := await self.more():
                body += chunk
                if len(body) > limit:
                    raise UpstreamCut(f"the answer is longer than {limit} bytes")
        finally:
            self.cancel()
        return bytes(body)

    def cancel(self) -> None:
        if self._pending is not None and not self.complete:
            self._pending.cancel()
            self.on_failed(UpstreamCut("the answer was given up"))

    # AnswerSink

    def on_answer(self, answer: Answer) -> None:
        self.status, self.headers, self.complete = answer.status, answer.headers, answer.complete
        self._held += answer.take()
        self._wake()

    def on_chunk(self, chunk: bytes) -> None:
        self._held += chunk
        if len(self._held) > HELD_BYTES and self._pending is not None:
            self._pending.pause()
        self._wake()

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
