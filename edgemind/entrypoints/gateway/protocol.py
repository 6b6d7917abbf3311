"""The HTTP/1.1 server side: uvicorn's httptools protocol, held to our limits and told when the client hangs up.

uvicorn alone accepts a 20 MB header, leaves a half-sent one open for ever and answers without a Host. Its timers cost a
little on every request; here one sweep a second enforces all time limits of a worker.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.refusals import Refusal, refusal_bytes

LINGER_S = 1.0
"""How long a refused upload is read and thrown away: closing at once would reset the connection under our answer."""


@dataclass(slots=True)
class Draining:
    """Shared by the connections of a worker: once set, every response carries `Connection: close`."""

    started: bool = False


class GatewayProtocol(HttpToolsProtocol):
    """One client connection. Its phases: idle, head (reading headers), body, answering; then idle again."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Callable[[], Limits],
        draining: Draining,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = False
        self.limits = limits()
        self.draining = draining
        self.head_bytes = 0
        self.header_bytes = 0
        self.in_head = False
        self.body_bytes = 0
        self.body_complete = True
        self.lingering = False
        self.deadline_s = 0.0

    @property
    def current(self) -> Exchange | None:
        """The newest request on this connection; None before its first one."""
        return cast("Exchange | None", self.cycle)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.deadline_s = self.loop.time() + self.limits.header_timeout_s
        if len(self.connections) > self.limits.max_connections:
            self.refuse(_TOO_MANY_CONNECTIONS)

    def connection_lost(self, exc: Exception | None) -> None:
        exchange = self.current
        super().connection_lost(exc)
        if exchange is not None:
            exchange.hang_up()
        for queued, _ in self.pipeline:
            queued.disconnected = True
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        if self.lingering or self.transport.is_closing():
            return
        if not self.in_head and self.body_complete:
            self.head_bytes = 0
            self.deadline_s = self.loop.time() + self.limits.header_timeout_s
            self.in_head = True
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # No protocol is offered to upgrade to; what follows such a request cannot be told from it.
            if self.cycle is not None:
                self.cycle.keep_alive = False
            self.lingering = True
        except httptools.HttpParserError as exc:
            self.refuse(_refusal_of(exc))
        else:
            if self.in_head:
                # httptools keeps an unfinished header to itself, so what came in is counted rather than what came out.
                self.head_bytes += len(data)
                if self.head_bytes > self.limits.max_header_bytes:
                    self.refuse(self._head_too_large())

    def resume_writing(self) -> None:
        super().resume_writing()
        exchange = self.current
        if exchange is not None and exchange.upstream is not None:
            exchange.upstream.resume()

    # httptools callbacks

    def on_message_begin(self) -> None:
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self.header_bytes = 0
        self.body_bytes = 0
        self.body_complete = False
        self.in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self.header_bytes += len(name) + len(value) + 4
        if self.header_bytes > self.limits.max_header_bytes:
            raise _Refused(self._head_too_large())
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.head_bytes = 0
        self.deadline_s = self.loop.time() + self.limits.idle_timeout_s
        http_version = self.parser.get_http_version()
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and http_version == "1.1"):
            raise _Refused(_bad_request("A request needs exactly one Host header."))
        exchange = self._exchange(http_version)
        length = exchange.header(b"content-length")
        if length is not None and int(length) > self.limits.max_body_bytes:
            raise _Refused(self._too_large())
        previous, self.cycle = self.current, exchange
        if previous is None or previous.response_complete:
            self._start_asgi_task(exchange, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        if self.body_bytes > self.limits.max_body_bytes:
            raise _Refused(self._too_large())
        self.deadline_s = self.loop.time() + self.limits.idle_timeout_s
        exchange = self.cycle
        if not exchange.response_complete:
            exchange.body += body
            exchange.message_event.set()

    def on_message_complete(self) -> None:
        self.body_complete = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            exchange, app = self.pipeline.pop()
            self._start_asgi_task(exchange, app)
        elif not self.body_complete:
            # Answered before its body was read to the end: what is left of it must not be taken for a request.
            self._linger()
        elif not self.in_head:
            self.deadline_s = self.loop.time() + self.limits.idle_timeout_s

    # Limits

    def refuse(self, refusal: Refusal) -> None:
        """Answer a request that never reached the application, and read no further."""
        if self.transport.is_closing() or self.lingering:
            return
        exchange = self.current
        if exchange is not None and not exchange.response_complete:
            if self.body_complete or self.pipeline:
                # An earlier request is still being answered: two answers must not mix. End the connection after it.
                exchange.keep_alive = False
                self.lingering = True
                return
            exchange.hang_up()
            if exchange.response_started:
                self.transport.abort()
                return
            exchange.response_complete = True
        self.transport.write(refusal_bytes(refusal, self.server_state.default_headers))
        self._linger()

    def check(self, now_s: float) -> None:
        """Called about once a second: close what is idle, refuse what comes too slowly."""
        if now_s < self.deadline_s or self.transport.is_closing():
            return
        exchange = self.current
        answering = exchange is not None and not exchange.response_complete
        if self.lingering or (not self.in_head and self.body_complete and not answering):
            self.transport.close()
        elif self.in_head and not answering:
            self.refuse(_timeout(f"The headers did not arrive within {self.limits.header_timeout_s:g} s."))
        elif not self.body_complete:
            self.refuse(_timeout(f"The body stopped arriving for {self.limits.idle_timeout_s:g} s."))

    def shutdown(self) -> None:
        """The worker stops: close what is idle; a request whose bytes were read is answered first."""
        exchange = self.current
        answering = exchange is not None and not exchange.response_complete
        if exchange is not None and answering:
            exchange.keep_alive = False
        elif not (self.in_head and self.head_bytes) and self.body_complete:
            self.transport.close()

    def _exchange(self, http_version: str) -> Exchange:
        parsed = httptools.parse_url(self.url)
        path = (parsed.path or b"/").decode("ascii")
        extensions: dict[str, Exchange] = {}
        scope = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": http_version,
            "method": self.parser.get_method().decode("ascii"),
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": parsed.path,
            "query_string": parsed.query or b"",
            "headers": self.headers,
            "extensions": extensions,
        }
        keep_alive = http_version != "1.0" and self.parser.should_keep_alive() and not self.draining.started
        exchange = Exchange(
            scope=scope,  # type: ignore[arg-type]
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        extensions["edgemind.exchange"] = exchange
        return exchange

    def _head_too_large(self) -> Refusal:
        message = f"The request line and headers are larger than {self.limits.max_header_bytes} bytes."
        return Refusal(431, "invalid_request_error", "headers_too_large", message)

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            "invalid_request_error",
            "body_too_large",
            f"The body is larger than this gateway's limit of {self.limits.max_body_bytes} bytes.",
        )

    def _linger(self) -> None:
        """Send our side's end, then read and drop for a moment, so that the answer is not lost to a reset."""
        self.lingering = True
        self.deadline_s = self.loop.time() + LINGER_S
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()


class _Refused(Exception):  # noqa: N818 - never seen outside: httptools wraps it and `_refusal_of` unwraps it
    """Raised inside a parser callback to stop parsing with an answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _refusal_of(error: Exception) -> Refusal:
    cause = error.__context__ or error.__cause__
    if isinstance(cause, _Refused):
        return cause.refusal
    return _bad_request(f"This is not a valid HTTP/1.1 request: {error}")


def _bad_request(message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", "bad_request", message)


def _timeout(message: str) -> Refusal:
    return Refusal(408, "invalid_request_error", "request_timeout", message)


_TOO_MANY_CONNECTIONS = Refusal(
    503,
    "server_error",
    "too_many_connections",
    "This gateway has no connection to spare; try again shortly.",
    retry_after_s=1,
)
