"""A keep-alive HTTP/1.1 client for one origin: the gateway's way to model servers, neighbours and the cloud tier.

General clients cost several times the whole gateway per request. This one parses with httptools, hands body chunks over
inside the read callback, and holds no timer per request: `sweep` enforces the time limits of every connection at once.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

import httptools

from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.inference import PendingRequest

EARLY_BODY_LIMIT_BYTES = 256 * 1024
"""Body bytes held before somebody relays them; past that the socket is not read."""
JOIN_BELOW_BYTES = 64 * 1024
"""A smaller body is joined to its head for one write; copying a larger one would cost more than a second write."""


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Times in seconds. `silence_s` bounds the gap between two reads once the body has begun."""

    connect_s: float = 1.0
    first_byte_s: float = 60.0
    silence_s: float = 60.0
    idle_s: float = 30.0
    max_connections: int = 1024
    max_head_bytes: int = 64 * 1024


class Answer:
    """One request under way and its response: what `ports.inference` calls PendingRequest and UpstreamResponse.

    It outlives its turn on the connection, which may serve the next request before this one's reader has looked.
    """

    __slots__ = ("_connection", "_push", "complete", "error", "first", "headers", "started", "status", "waiter")

    def __init__(self, connection: "Connection", waiter: "asyncio.Future[None]") -> None:
        self._connection = connection
        self._push: Callable[[bytes], None] | None = None
        self.waiter = waiter
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.first = b""
        self.started = False
        self.complete = False
        self.error: Exception | None = None

    async def relay(self, push: Callable[[bytes], None]) -> None:
        """Hand over every further chunk as it comes; return at the clean end. Raises UpstreamCut."""
        if self.error is None and not self.complete:
            self._push = push
            self.waiter = self._connection.loop.create_future()
            if self.first:
                push(self.take())
            self._connection.resume()
            await self.waiter
        if self.error is not None:
            raise UpstreamCut(f"{self._connection.origin} died in mid-answer: {self.error}") from self.error

    def take(self) -> bytes:
        """What has come so far, given up by this object."""
        first, self.first = self.first, b""
        return first

    def pause(self) -> None:
        if not self.complete:
            self._connection.pause()

    def resume(self) -> None:
        if not self.complete:
            self._connection.resume()

    def cancel(self) -> None:
        if not self.complete and self.error is None:
            self._connection.fail(UpstreamFailed("cancelled"))

    # Called by the connection

    def body(self, chunk: bytes) -> None:
        if self._push is not None:
            self._push(chunk)
            return
        self.first = self.first + chunk if self.first else chunk
        if len(self.first) > EARLY_BODY_LIMIT_BYTES:
            self._connection.pause()
        self.wake()

    def ended(self) -> None:
        self.complete = True
        self.wake()

    def failed(self, error: Exception) -> None:
        if self.error is None:
            self.error = error
        self.wake()

    def wake(self) -> None:
        if not self.waiter.done():
            self.waiter.set_result(None)


class Connection(asyncio.Protocol):
    """One connection, with at most one request on it at a time."""

    def __init__(self, pool: "KeepAlivePool") -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._head_bytes = 0
        self.loop = pool.loop
        self.origin = pool.origin
        self.reused = False
        self.paused = False
        self.deadline_s = 0.0

    def start(self, head: bytes, body: bytes) -> Answer:
        """Write one request. The answer's waiter is done at the first body byte, at the end, or at a failure."""
        answer = self._answer = Answer(self, self.loop.create_future())
        self._head_bytes = 0
        self.deadline_s = self.loop.time() + self._pool.limits.first_byte_s
        assert self._transport is not None
        if len(body) < JOIN_BELOW_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return answer

    def pause(self) -> None:
        if not self.paused and self._transport is not None and not self._transport.is_closing():
            self.paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self.paused and self._transport is not None and not self._transport.is_closing():
            self.paused = False
            # A reader that was made to wait is not an upstream that fell silent.
            self.deadline_s = self.loop.time() + self._pool.limits.silence_s
            self._transport.resume_reading()

    def check(self, now_s: float) -> None:
        """Close when idle too long; fail when the upstream is silent past its limit."""
        if now_s < self.deadline_s or self.paused:
            return
        if self._answer is not None:
            self.fail(UpstreamFailed("no answer within the time limit"))
        else:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def fail(self, error: Exception) -> None:
        """End the request under way with `error` and the connection with it."""
        answer, self._answer = self._answer, None
        if self._transport is not None:
            self._transport.abort()
        if answer is not None:
            answer.failed(error)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:
            # Bytes nobody asked for: the next response could not be told from them.
            self.close()
            return
        if not answer.started:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if self._answer is None:
                self.close()
            else:
                self.fail(UpstreamFailed(f"not an HTTP/1.1 answer ({exc})"))
            return
        if not answer.started and self._head_bytes > self._pool.limits.max_head_bytes:
            self.fail(UpstreamFailed("its response headers are too large"))

    def eof_received(self) -> None:
        answer = self._answer
        if answer is not None and answer.started and not _self_delimited(answer.headers):
            self.on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self)
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.failed(exc or ConnectionResetError("connection closed before the end of the answer"))

    # httptools callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answer is not None:
            self._answer.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        answer = self._answer
        if answer is None:
            return
        answer.status = self._parser.get_status_code()
        if answer.status < 200:
            answer.headers = []
        else:
            answer.started = True

    def on_body(self, chunk: bytes) -> None:
        if self._answer is not None:
            self.deadline_s = self.loop.time() + self._pool.limits.silence_s
            self._answer.body(chunk)

    def on_message_complete(self) -> None:
        answer = self._answer
        if answer is None or not answer.started:
            return
        self._answer = None
        self._pool.release(self, reusable=self._parser.should_keep_alive())
        answer.ended()


def _self_delimited(headers: list[tuple[bytes, bytes]]) -> bool:
    """Without a length or chunks, the end of the connection is the end of the body (an HTTP/1.0 answer)."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers)


class KeepAlivePool:
    """Connections to one origin (`http://host:port`); the newest idle one is used first."""

    def __init__(self, base_url: str, limits: ClientLimits, loop: asyncio.AbstractEventLoop) -> None:
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.limits = limits
        self.loop = loop
        self._host = parts.hostname or ""
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._closed = False

    async def send(self, head: bytes, body: bytes, on_start: Callable[[PendingRequest], None] | None = None) -> Answer:
        """Send and wait for the first body byte. Raises UpstreamUnreachable or UpstreamFailed."""
        while True:
            connection = self._idle.pop() if self._idle else await self._connect()
            answer = connection.start(head, body)
            if on_start is not None:
                on_start(answer)
            try:
                await answer.waiter
            except asyncio.CancelledError:
                answer.cancel()
                raise
            failure = answer.error
            if failure is None or answer.first:
                return answer
            if connection.reused and not answer.started and not isinstance(failure, UpstreamFailed):
                # The server closed an idle connection just as it was taken: nothing was answered, so ask again.
                continue
            raise UpstreamFailed(f"{self.origin} failed before its first body byte: {failure}") from failure

    def release(self, connection: Connection, *, reusable: bool) -> None:
        if reusable and not self._closed:
            connection.resume()
            connection.reused = True
            connection.deadline_s = self.loop.time() + self.limits.idle_s
            self._idle.append(connection)
        else:
            connection.close()

    def forget(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self) -> None:
        """Enforce the time limits; called about once a second."""
        now_s = self.loop.time()
        for connection in list(self._all):
            connection.check(now_s)

    async def close(self) -> None:
        self._closed = True
        for connection in list(self._idle):
            connection.close()

    async def _connect(self) -> Connection:
        if len(self._all) >= self.limits.max_connections:
            raise UpstreamFailed(f"{self.origin}: all {self.limits.max_connections} connections are in use")
        connection = Connection(self)
        try:
            await asyncio.wait_for(
                self.loop.create_connection(lambda: connection, self._host, self._port, ssl=self._ssl),
                self.limits.connect_s,
            )
        except (OSError, TimeoutError) as exc:
            reason = str(exc) or f"no connection within {self.limits.connect_s:g} s"
            raise UpstreamUnreachable(f"{self.origin} cannot be reached: {reason}") from exc
        self._all.add(connection)
        return connection
