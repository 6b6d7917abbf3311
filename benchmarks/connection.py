"""One client connection of the load generator: sends a request, notes when the answer's bytes came, checks nothing."""

import socket
import time
from collections.abc import Callable

import httptools

from benchmarks.payloads import Exchange

Address = tuple[str, int]
_READ_BYTES = 65536


class Connection:
    """Keep-alive, one request at a time. Times are `perf_counter_ns`; 0 means not yet.

    `failure` is None for a right answer, else one short phrase that errors are counted under.
    """

    __slots__ = (
        "_body", "_exchange", "_keep_alive", "_parser", "_recv", "done_ns", "failure", "first_body_ns", "sent_ns",
        "socket",
    )  # fmt: skip

    _recv: Callable[[int], bytes]
    _parser: httptools.HttpResponseParser

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, timeout=5.0)
        # A client that waits for ACKs would charge its own 40 ms to the gateway.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._recv = self.socket.recv
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._exchange: Exchange | None = None
        self.sent_ns = self.first_body_ns = self.done_ns = 0
        self.failure: str | None = None
        self._keep_alive = False

    def send(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._body.clear()
        self.first_body_ns = self.done_ns = 0
        self.failure = None
        self._keep_alive = False
        self.sent_ns = time.perf_counter_ns()
        try:
            # A request fits the send buffer of a connection that has nothing else in flight.
            if self.socket.send(exchange.request) != len(exchange.request):
                self.failure = "request only partly sent"
        except OSError:
            self.failure = "connection lost"

    def receive(self) -> bool:
        """Take what has arrived; True when the answer is complete, right or not."""
        try:
            data = self._recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        now_ns = time.perf_counter_ns()
        if not data:
            self._fail("connection closed", now_ns)
            return True
        had_body = bool(self._body)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("not HTTP", now_ns)
            return True
        if not had_body and self._body:
            self.first_body_ns = now_ns
        if self.done_ns:
            self.done_ns = now_ns
            return True
        return False

    def reusable(self) -> bool:
        return self._keep_alive and self.failure in (None, "wrong body")

    def close(self) -> None:
        self.socket.close()

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        self.done_ns = 1
        # Asked here: once the message is over, the parser has forgotten.
        self._keep_alive = bool(self._parser.should_keep_alive())
        if status != 200:
            self.failure = f"status {status}"
        elif self._exchange is None or not self._exchange.is_right(b"".join(self._body)):
            self.failure = "wrong body"

    def _fail(self, reason: str, now_ns: int) -> None:
        self.failure = self.failure or reason
        self.done_ns = now_ns
