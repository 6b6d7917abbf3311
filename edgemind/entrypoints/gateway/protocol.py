"""One client connection: what it reads, what it is answering, and when it is closed.

It runs under uvicorn's server (sockets, TLS, date header, shutdown) in the place of uvicorn's own protocol, which
accepts a 20 MB header, leaves a half-sent one open for ever and answers without a Host. Requests are served whole,
inside the read callback: a task per request would cost more than everything else the gateway does with it. One sweep
a second enforces all time limits of a worker, so that a request sets no timer.
"""

import asyncio
from collections import deque
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from time import monotonic as monotonic_s
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.reading import CHECK_BEFORE_BODY_BYTES, Phase, Request, RequestReader
from edgemind.entrypoints.gateway.refusals import (
    Refusal,
    refusal_bytes,
    timed_out,
    too_many_bodies,
    too_many_connections,
)
from edgemind.entrypoints.gateway.service import Service

LINGER_S = 1.0
"""How long a refused upload is read and thrown away: closing at once would reset the connection under our answer."""
QUEUE_LIMIT = 16
"""Requests that wait behind the one being answered, until no more are read."""
RESET_AT_CLOSE = pack("ii", 1, 0)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class GatewayProtocol(asyncio.Protocol):
    """`active` is the exchange being answered; requests that came behind it wait in a queue, and past a limit of them
    reading pauses."""

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
        self._reader = RequestReader(self._limits, service.preflight, self._room, service.seen)
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._queue: deque[Exchange] = deque()
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
        for exchange in (self.active, *self._queue):
            if exchange is not None:
                exchange.hang_up()
        self.active = None
        self._queue.clear()
        self._reader.close()

    def data_received(self, data: bytes) -> None:
        if self._lingering or self._transport.is_closing():
            return
        reader, before = self._reader, self._reader.phase
        requests = reader.feed(data, nothing_pending=self.active is None)
        for request in requests:
            self._take(request, last=request is requests[-1])
        if reader.refusal is not None:
            self._refuse(reader.refusal)
        elif reader.phase is not Phase.IDLE:
            self._await_rest(before)

    def pause_writing(self) -> None:
        self._writable = False
        self._deadline_s = self._loop.time() + self._limits.idle_timeout_s

    def resume_writing(self) -> None:
        self._writable = True
        if self.active is not None and self.active.relayed is not None:
            self.active.relayed.resume()

    @property
    def held_bytes(self) -> int:
        """Bodies that this connection holds, or has begun to read."""
        active = len(self.active.body) if self.active is not None else 0
        return self._reader.held_bytes + active + sum(len(waiting.body) for waiting in self._queue)

    def _room(self) -> Refusal | None:
        """Whether the body being read still fits among those of all connections.

        Added up only when a large body comes: a counter would have to be right at every way a request can end.
        """
        connections = cast("set[GatewayProtocol]", self._server_state.connections)
        held_bytes = sum(connection.held_bytes for connection in connections)
        return too_many_bodies() if held_bytes > self._limits.body_bytes_total else None

    # What an exchange asks of its connection

    def write(self, data: bytes) -> bool:
        self._transport.write(data)
        return self._writable

    def answered(self, exchange: Exchange) -> None:
        """Go on with the next request of the connection, or close it."""
        self.active = None
        limit_s = self._limits.header_timeout_s if self._reader.phase is Phase.HEAD else self._limits.idle_timeout_s
        self._deadline_s = self._loop.time() + limit_s
        if not exchange.keep_alive:
            self._close_politely()
        elif self._queue:
            self.active = self._queue.popleft()
            # Not from here: a client that pipelines a thousand requests must not nest a thousand calls.
            self._loop.call_soon(self._serve_queued, self.active)
        elif not self._transport.is_closing():
            self._resume_reading()

    def abort(self) -> None:
        self._transport.abort()

    def reset(self) -> None:
        """Close with a reset: for a client that takes the end of its connection for the end of the body."""
        client = self._transport.get_extra_info("socket")
        if client is not None:
            client.setsockopt(SOL_SOCKET, SO_LINGER, RESET_AT_CLOSE)
        self._transport.abort()

    # Told by the worker

    def check(self, now_s: float) -> None:
        """Called about once a second: close what is idle, refuse what comes too slowly."""
        if now_s < self._deadline_s:
            return
        if self._transport.is_closing() or (self.active is not None and not self._writable):
            # Whoever does not read its answer may not hold a connection, and a model server's slot, for ever.
            self._transport.abort()
        elif self.active is not None:
            return
        elif self._lingering:
            self._transport.close()
        elif self._reader.phase is Phase.HEAD:
            self._refuse(timed_out(f"The headers did not arrive within {self._limits.header_timeout_s:g} s."))
        elif self._reader.phase is Phase.BODY:
            self._refuse(timed_out(f"The body stopped arriving for {self._limits.idle_timeout_s:g} s."))
        else:
            self._transport.close()

    def drain(self) -> None:
        """The worker begins to stop: the response under way is the connection's last."""
        if self.active is not None and not self._queue:
            self.active.keep_alive = False

    def shutdown(self) -> None:
        """The worker stops: close what is idle; a request whose bytes were read is answered first."""
        self.drain()
        if self.active is None and self._reader.phase is Phase.IDLE:
            self._transport.close()

    # Serving

    def _take(self, request: Request, *, last: bool) -> None:
        service, (head, body) = self._service, request
        lines = service.lines.serialized(self._server_state.default_headers)
        # While draining the last answer closes the connection, not one with further requests behind it.
        keep_alive = head.keep_alive and not (service.draining.started and last)
        exchange = Exchange(self, head, body, monotonic_s(), lines, keep_alive)
        if self.active is None:
            self.active = exchange
            service.serve(exchange)
        else:
            before = self._queue[-1] if self._queue else self.active
            before.keep_alive = before.keep_alive or (before.head.keep_alive and not before.started)
            self._queue.append(exchange)
            # Not before: while nothing is read, a client that hangs up goes unnoticed.
            if len(self._queue) >= QUEUE_LIMIT or len(body) > CHECK_BEFORE_BODY_BYTES:
                self._pause_reading()

    def _serve_queued(self, exchange: Exchange) -> None:
        if exchange.gone or self.active is not exchange:
            return
        exchange.default_lines = self._service.lines.serialized(self._server_state.default_headers)
        if self._service.draining.started and not self._queue:
            exchange.keep_alive = False
        self._service.serve(exchange)

    def _await_rest(self, before: Phase) -> None:
        """A request has begun: its headers have a deadline as a whole, its body one from byte to byte."""
        if self._reader.phase is Phase.BODY:
            self._deadline_s = self._loop.time() + self._limits.idle_timeout_s
            if self._reader.wants_continue:
                self._reader.wants_continue = False
                self._transport.write(CONTINUE)
        elif before is not Phase.HEAD:
            self._deadline_s = self._loop.time() + self._limits.header_timeout_s

    def _pause_reading(self) -> None:
        if not self._read_paused:
            self._read_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()

    # Refusing and closing

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request that never reached the application, and read no further."""
        if self._transport.is_closing() or self._lingering:
            return
        if self.active is not None:
            # An earlier request is still being answered: two answers must not mix. The connection ends after it.
            self._end_after_last()
            return
        self._transport.write(refusal_bytes(refusal, self._server_state.default_headers))
        self._linger()

    def _end_after_last(self) -> None:
        last = self._queue[-1] if self._queue else self.active
        if last is None:
            self._close_politely()
        else:
            last.keep_alive = False
            # What comes now is dropped, and not left unread: a client that hangs up must be noticed.
            self._lingering = True

    def _close_politely(self) -> None:
        """Close; but while the client may still be sending, end our side and drop what comes for a moment.

        Closing a socket with unread bytes resets the connection, and the reset can overtake our answer.
        """
        if self._transport.is_closing():
            return
        if self._reader.phase is Phase.IDLE and not self._read_paused and not self._lingering:
            self._transport.close()
        else:
            self._linger()

    def _linger(self) -> None:
        self._lingering = True
        self._deadline_s = self._loop.time() + LINGER_S
        self._resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()
