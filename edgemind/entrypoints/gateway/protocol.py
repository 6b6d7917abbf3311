"""The HTTP/1.1 server side of a gateway: one client connection, parsed by httptools, held to our limits.

It runs under uvicorn's server (sockets, TLS, date header, shutdown) in the place of uvicorn's own protocol, which accepts
a 20 MB header, leaves a half-sent one open for ever and answers without a Host. Requests go to `serve` whole, inside
the read callback: a task per request would cost more than everything else the gateway does with it. One sweep a second
enforces all time limits of a worker, so that a request sets no timer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic as monotonic_s
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.exchange import Exchange, header_block
from edgemind.entrypoints.gateway.heads import Head, SeenHeads
from edgemind.entrypoints.gateway.refusals import (
    Refusal,
    bad_request,
    body_too_large,
    headers_too_large,
    refusal_bytes,
    timed_out,
    too_many_connections,
)

LINGER_S = 1.0
"""How long a refused upload is read and thrown away: closing at once would reset the connection under our answer."""
CHECK_BEFORE_BODY_BYTES = 64 * 1024
"""A body announced to be larger, or of unknown length, is only read for somebody who may send it."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Draining:
    """Shared by the connections of a worker: once set, every response carries `Connection: close`."""

    started: bool = False


class DefaultLines:
    """uvicorn's default headers (the date), serialized once for each new list that it makes of them."""

    def __init__(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._lines = b""

    def serialized(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        if headers is not self._headers:
            self._headers, self._lines = headers, header_block(headers)
        return self._lines


@dataclass(frozen=True, slots=True)
class Service:
    """What a connection serves with. `preflight` looks at the headers alone: a refusal, or None to read the body."""

    serve: Callable[[Exchange], None]
    preflight: Callable[[Head], Refusal | None]
    limits: Callable[[], Limits]
    draining: Draining
    seen: SeenHeads = field(default_factory=SeenHeads)
    lines: DefaultLines = field(default_factory=DefaultLines)


class GatewayProtocol(asyncio.Protocol):
    """One client connection. What it reads: nothing, a head, a body; what it answers: `active`, then `queue`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        service: Service,
    ) -> None:
        self._server_state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._service = service
        self._limits = service.limits()
        self._parser = httptools.HttpRequestParser(self)
        # Bytes behind a request with `Connection: close` are ignored instead of failing the request itself.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._queue: deque[Exchange] = deque()
        self._reading: Exchange | None = None
        self._chunks: list[bytes] = []
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._whole: Head | None = None
        self._in_head = False
        self._head_bytes = 0
        self._unfinished_bytes = 0
        self._body_bytes = 0
        self._lingering = False
        self._writable = True
        self._read_paused = False
        self._deadline_s = 0.0
        self.active: Exchange | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server_state.connections.add(cast(Any, self))
        self._deadline_s = self._loop.time() + self._limits.header_timeout_s
        if len(self._server_state.connections) > self._limits.max_connections:
            self._refuse(too_many_connections())

    def connection_lost(self, exc: Exception | None) -> None:
        self._server_state.connections.discard(cast(Any, self))
        for exchange in (self.active, self._reading, *self._queue):
            if exchange is not None:
                exchange.hang_up()
        self.active = self._reading = None
        self._queue.clear()

    def eof_received(self) -> None:
        """Half-closed by the client: nobody is left who would wait for an answer that has not begun."""

    def data_received(self, data: bytes) -> None:
        if self._lingering or self._transport.is_closing():
            return
        begins = self._reading is None and not self._in_head
        if begins and self.active is None:
            seen = self._service.seen.find(data)
            if seen is not None:
                self.active = self._exchange(*seen)
                self._service.serve(self.active)
                return
        if begins:
            self._begin_head()
        whole = self._feed(data)
        if begins and whole is not None and self._reading is None and not self._in_head:
            self._service.seen.remember(data, whole)

    def _feed(self, data: bytes) -> Head | None:
        """Parse. The head of the last request that these bytes completed, if they did and all is well."""
        self._whole = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No protocol is offered to upgrade to; what follows such a request cannot be told from it.
            self._last_exchange_closes()
            return None
        except httptools.HttpParserError as exc:
            self._refuse(_refusal_of(exc))
            return None
        if self._in_head:
            # httptools keeps an unfinished header to itself, so what came in is counted rather than what came out.
            self._unfinished_bytes += len(data)
            if self._unfinished_bytes > self._limits.max_header_bytes:
                self._refuse(headers_too_large(self._limits.max_header_bytes))
        return self._whole

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        if self.active is not None and self.active.relayed is not None:
            self.active.relayed.resume()

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._chunks = []
        self._body_bytes = 0
        self._begin_head()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._deadline_s = self._loop.time() + self._limits.idle_timeout_s
        parser = self._parser
        head = Head(
            parser.get_method(), self._url, self._headers, parser.get_http_version(), parser.should_keep_alive()
        )
        refusal = head.fault(self._head_bytes, self._limits)
        if refusal is None and self.active is None and not 0 <= head.length <= CHECK_BEFORE_BODY_BYTES:
            refusal = self._service.preflight(head)
        if refusal is not None:
            raise _Refused(refusal)
        self._reading = self._exchange(head, b"")
        if head.expects_continue and self.active is None:
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body_bytes:
            raise _Refused(body_too_large(self._limits.max_body_bytes))
        self._deadline_s = self._loop.time() + self._limits.idle_timeout_s
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        exchange, self._reading = self._reading, None
        if exchange is None:
            return
        chunks, self._chunks = self._chunks, []
        exchange.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._whole = exchange.head
        if self.active is None:
            self.active = exchange
            self._service.serve(exchange)
        else:
            self._queue.append(exchange)
            self._pause_reading()

    # What an exchange asks of its connection

    def write(self, data: bytes) -> bool:
        self._transport.write(data)
        return self._writable

    def answered(self, exchange: Exchange) -> None:
        """Go on with the next request of the connection, or close it."""
        self.active = None
        if not exchange.keep_alive:
            self._close_politely()
        elif self._queue:
            self.active = self._queue.popleft()
            # Not from here: a client that pipelines a thousand requests must not nest a thousand calls.
            self._loop.call_soon(self._serve_queued, self.active)
        elif not self._transport.is_closing():
            self._resume_reading()
            self._deadline_s = self._loop.time() + self._limits.idle_timeout_s

    def abort(self) -> None:
        self._transport.abort()

    # Told by the worker

    def check(self, now_s: float) -> None:
        """Called about once a second: close what is idle, refuse what comes too slowly."""
        if now_s < self._deadline_s or self._transport.is_closing():
            return
        if self._lingering:
            self._transport.close()
        elif self.active is not None:
            return
        elif self._in_head:
            self._refuse(timed_out(f"The headers did not arrive within {self._limits.header_timeout_s:g} s."))
        elif self._reading is not None:
            self._refuse(timed_out(f"The body stopped arriving for {self._limits.idle_timeout_s:g} s."))
        else:
            self._transport.close()

    def drain(self) -> None:
        """The worker begins to stop: the response under way is the connection's last."""
        for exchange in (self.active, self._reading):
            if exchange is not None:
                exchange.keep_alive = False

    def shutdown(self) -> None:
        """The worker stops: close what is idle; a request whose bytes were read is answered first."""
        self.drain()
        if self.active is None and self._reading is None and not self._in_head:
            self._transport.close()

    # Reading

    def _begin_head(self) -> None:
        self._in_head = True
        self._head_bytes = self._unfinished_bytes = 0
        if self.active is None:
            self._deadline_s = self._loop.time() + self._limits.header_timeout_s

    def _exchange(self, head: Head, body: bytes) -> Exchange:
        service = self._service
        lines = service.lines.serialized(self._server_state.default_headers)
        return Exchange(self, head, body, monotonic_s(), lines, head.keep_alive and not service.draining.started)

    def _serve_queued(self, exchange: Exchange) -> None:
        if exchange.gone or self.active is not exchange:
            return
        exchange.default_lines = self._service.lines.serialized(self._server_state.default_headers)
        exchange.keep_alive = exchange.keep_alive and not self._service.draining.started
        self._service.serve(exchange)

    def _pause_reading(self) -> None:
        if not self._read_paused:
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()

    # Refusing

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request that never reached the application, and read no further."""
        if self._transport.is_closing() or self._lingering:
            return
        self._reading = None
        if self.active is not None:
            # An earlier request is still being answered: two answers must not mix. The connection ends after it.
            self._last_exchange_closes()
            return
        self._transport.write(refusal_bytes(refusal, self._server_state.default_headers))
        self._close_politely()

    def _last_exchange_closes(self) -> None:
        last = self._queue[-1] if self._queue else self.active
        if last is None:
            self._close_politely()
        else:
            last.keep_alive = False
            self._pause_reading()

    def _close_politely(self) -> None:
        """Send our side's end; then, if the client may still be sending, read and drop for a moment.

        Closing a socket with unread bytes resets the connection, and the reset can overtake our answer.
        """
        if self._transport.is_closing():
            return
        if self._reading is None and not self._in_head and not self._read_paused:
            self._transport.close()
            return
        self._linger()

    def _linger(self) -> None:
        self._lingering = True
        self._deadline_s = self._loop.time() + LINGER_S
        self._resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()


class _Refused(Exception):  # noqa: N818 - never seen outside: httptools wraps it and `_refusal_of` unwraps it
    """Raised inside a parser callback to stop parsing with an answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _refusal_of(error: Exception) -> Refusal:
    cause = error.__context__
    if isinstance(cause, _Refused):
        return cause.refusal
    return bad_request(f"This is not a valid HTTP/1.1 request: {error}")
