"""One connection to an upstream and the request on it: HTTP/1.1 parsed by httptools, the sink told in the callback."""

import asyncio
from dataclasses import dataclass
from typing import Protocol, cast

import httptools

from edgemind.adapters.inference.dead_paths import notice_dead_paths
from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.inference import AnswerSink

JOIN_BELOW_BYTES = 64 * 1024
"""A larger body is not joined to its head for one write: copying it would cost more than the second write."""


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Times in seconds. `silence_s` bounds the gap between two reads once the body has begun."""

    connect_s: float = 1.0
    first_byte_s: float = 60.0
    silence_s: float = 60.0
    idle_s: float = 30.0
    max_connections: int = 1024
    max_head_bytes: int = 64 * 1024


class Owner(Protocol):
    """The pool a connection belongs to, as the connection needs it."""

    origin: str
    limits: ClientLimits
    loop: asyncio.AbstractEventLoop

    def connect(self, request: "Request") -> None:
        """Send a request again, on a connection of its own."""

    def release(self, connection: "Connection", *, reusable: bool) -> None:
        """The connection's request is over."""

    def forget(self, connection: "Connection") -> None:
        """The connection is gone."""


class Request:
    """One request under way and the answer to it: `ports.inference` calls it PendingRequest and Answer.

    It outlives its turn on the connection, which may serve the next request before this one's sink has looked.
    """

    __slots__ = (
        "_body", "_connection", "_first", "_head", "_pool", "_sent_again", "announced", "cancelled", "complete",
        "headers", "sink", "started", "status",
    )  # fmt: skip

    def __init__(self, pool: Owner, head: bytes, body: bytes, sink: AnswerSink) -> None:
        self._pool = pool
        self._head = head
        self._body = body
        self._connection: Connection | None = None
        self._first = b""
        self._sent_again = False
        self.sink = sink
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.started = False
        self.announced = False
        self.complete = False
        self.cancelled = False

    # Answer

    def take(self) -> bytes:
        first, self._first = self._first, b""
        return first

    # PendingRequest

    def cancel(self) -> None:
        self.cancelled = True
        if self._connection is not None:
            self._connection.abort()

    def pause(self) -> None:
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    # Called by the connection

    def write_to(self, connection: "Connection", transport: asyncio.Transport) -> None:
        self._connection = connection
        if len(self._body) < JOIN_BELOW_BYTES:
            transport.write(self._head + self._body)
        else:
            transport.writelines((self._head, self._body))

    def begun(self) -> None:
        """The headers of the answer are here: the request will not be sent again, so its body may go."""
        self.started = True
        self._body = b""

    def body(self, chunk: bytes) -> None:
        if self.announced:
            self.sink.on_chunk(chunk)
        else:
            self._first = self._first + chunk if self._first else chunk

    def fed(self) -> None:
        """A read was parsed to its end: the first body bytes are passed on with everything that came beside them."""
        if not self.announced and (self._first or self.complete) and not self.cancelled:
            self.announced = True
            self.sink.on_answer(self)

    def ended(self) -> None:
        self.complete = True
        self._connection = None
        if self.announced and not self.cancelled:
            self.sink.on_end()

    def failed(self, error: Exception, *, reused: bool) -> None:
        self._connection = None
        if self.cancelled:
            return
        if reused and not self.started and not self._sent_again and not isinstance(error, UpstreamFailed):
            # The server closed an idle connection just as it was taken: nothing was answered, so ask again, on a new
            # connection and only once: a request that kills its connection must not go through all the idle ones.
            self._sent_again = True
            self._pool.connect(self)
        elif self.announced:
            self.sink.on_failed(UpstreamCut(f"{self._pool.origin} died in mid-answer: {error}"))
        elif isinstance(error, UpstreamUnreachable):
            self.sink.on_failed(error)
        else:
            message = f"{self._pool.origin} failed before its first body byte: {error}"
            self.sink.on_failed(UpstreamFailed(message))


class Connection(asyncio.Protocol):
    """One connection, with at most one request on it at a time."""

    def __init__(self, pool: Owner) -> None:
        self._pool = pool
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None
        self._head_bytes = 0
        self._paused = False
        self._reused = False
        self._deadline_s = 0.0

    def start(self, request: Request) -> None:
        self._request = request
        self._head_bytes = 0
        self._deadline_s = self._pool.loop.time() + self._pool.limits.first_byte_s
        assert self._transport is not None
        request.write_to(self, self._transport)

    def rest(self) -> None:
        """Wait for the next request."""
        self._reused = True
        self.resume()
        self._deadline_s = self._pool.loop.time() + self._pool.limits.idle_s

    def pause(self) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            # A reader that was made to wait is not an upstream that fell silent.
            self._deadline_s = self._pool.loop.time() + self._pool.limits.silence_s
            self._transport.resume_reading()

    def check(self, now_s: float) -> None:
        """Close when idle too long; fail when the upstream is silent past its limit."""
        if now_s < self._deadline_s or self._paused:
            return
        if self._request is not None:
            self.fail(UpstreamFailed("no answer within the time limit"))
        else:
            self.close()

    def close(self) -> None:
        self._pool.forget(self)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        self._request = None
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: Exception) -> None:
        """End the request under way with `error`, and the connection with it."""
        request = self._request
        self.abort()
        if request is not None:
            request.failed(error, reused=False)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        notice_dead_paths(transport)

    def data_received(self, data: bytes) -> None:
        request = self._request
        if request is None:
            # Bytes nobody asked for: the next response could not be told from them.
            self.close()
            return
        if not request.started:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            if self._request is None:
                # Garbage behind a complete answer: the answer stands, the connection is not used again.
                self.close()
            else:
                self.fail(UpstreamFailed(f"not an HTTP/1.1 answer ({exc})"))
                return
        if not request.started and self._head_bytes > self._pool.limits.max_head_bytes:
            self.fail(UpstreamFailed("its response headers are too large"))
            return
        request.fed()

    def eof_received(self) -> None:
        request = self._request
        if request is not None and request.started and not _self_delimited(request.headers):
            self.on_message_complete()
            request.fed()

    def connection_lost(self, exc: Exception | None) -> None:
        self._pool.forget(self)
        # Parser and connection hold each other, and only the garbage collector could free the two.
        del self._parser
        request, self._request = self._request, None
        if request is not None:
            error = exc or ConnectionResetError("connection closed before the end of the answer")
            request.failed(error, reused=self._reused)

    # httptools callbacks

    def on_message_begin(self) -> None:
        if self._request is None:
            # A second answer behind the one that was asked for: the next request here would get it.
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer must not pass for a header.
        if self._request is not None and not self._request.started:
            self._request.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        request = self._request
        if request is None:
            return
        request.status = self._parser.get_status_code()
        if request.status < 200:
            request.headers = []
        elif request.status > 599:
            self.fail(UpstreamFailed(f"its status {request.status} is none of HTTP's"))
        else:
            request.begun()

    def on_body(self, chunk: bytes) -> None:
        if self._request is not None:
            self._deadline_s = self._pool.loop.time() + self._pool.limits.silence_s
            self._request.body(chunk)

    def on_message_complete(self) -> None:
        request = self._request
        if request is None or not request.started:
            return
        self._request = None
        self._pool.release(self, reusable=self._parser.should_keep_alive())
        request.ended()


def _self_delimited(headers: list[tuple[bytes, bytes]]) -> bool:
    """Without a length or chunks, the end of the connection is the end of the body (an HTTP/1.0 answer)."""
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers)
