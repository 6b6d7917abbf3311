"""One request and its response on a client connection."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from edgemind.entrypoints.gateway.heads import Head

STATUS_LINES = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode() for status in map(int, HTTPStatus)
}


BODILESS = frozenset({204, 304})
"""Statuses without a body: framing one would leave stray bytes before the next answer."""


class ClientConnection(Protocol):
    """What an exchange needs of the connection it came on."""

    def write(self, data: bytes) -> bool:
        """Send bytes; False when the client reads too slowly for more."""

    def answered(self, exchange: "Exchange") -> None:
        """The exchange is over; the connection goes on with the next, or closes."""

    def abort(self) -> None: ...

    def reset(self) -> None: ...


class RelayedRequest(Protocol):
    """The upstream side of an exchange, told about what the client does."""

    def hang_up(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Exchange:
    """A whole request as received, and the way to answer it once.

    `default_lines` are the header lines every response begins with. `keep_alive` may be taken back until the response
    starts. `relayed` is set while an upstream works on it, and
    `trace_id` once it is known.
    """

    __slots__ = (
        "_chunked", "_connection", "_framed", "arrived_s", "body", "complete", "default_lines", "gone", "head",
        "keep_alive", "relayed", "started", "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        connection: ClientConnection,
        head: "Head",
        body: bytes,
        arrived_s: float,
        default_lines: bytes,
        keep_alive: bool,
    ) -> None:
        self._connection = connection
        self._chunked = False
        self._framed = True
        self.head = head
        self.body = body
        self.arrived_s = arrived_s
        self.default_lines = default_lines
        self.trace_id = ""
        self.keep_alive = keep_alive
        self.started = False
        self.complete = False
        self.gone = False
        self.relayed: RelayedRequest | None = None

    def start(self, status: int, lines: bytes, chunk: bytes, *, length: int | None, complete: bool) -> None:
        """Write status, headers and the first body bytes in one go.

        `lines` are serialized header lines without framing headers; `length` the whole body's length in bytes if it is
        known, else the body is chunked (or ends with the connection, for an HTTP/1.0 client).
        """
        if self.gone:
            return
        self.started = True
        status_line = STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        if length is not None:
            framing = b"content-length: %d\r\n" % length
        elif status in BODILESS:
            framing = b""
        elif self.head.http_version == "1.0":
            self.keep_alive = self._framed = False
            framing = b""
        else:
            self._chunked = True
            framing = b"transfer-encoding: chunked\r\n"
            if chunk:
                chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
            if complete:
                chunk += b"0\r\n\r\n"
        ending = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        fits = self._connection.write(b"".join((status_line, self.default_lines, lines, framing, ending, chunk)))
        if complete:
            self._finished()
        elif not fits and self.relayed is not None:
            self.relayed.pause()

    def push(self, chunk: bytes) -> None:
        """Write one body chunk; a reader that is too slow pauses the upstream."""
        if self.gone:
            return
        data = b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk
        if not self._connection.write(data) and self.relayed is not None:
            self.relayed.pause()

    def finish(self, last: bytes = b"") -> None:
        """End the body cleanly, after `last`."""
        if self.gone or self.complete:
            return
        if last:
            self.push(last)
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")
        self._finished()

    def cut(self) -> None:
        """End the connection in mid-body, so that no client can take what it has for the whole."""
        self.complete = True
        self.relayed = None
        if self._framed:
            self._connection.abort()
        else:
            self._connection.reset()

    def hang_up(self) -> None:
        """The client is gone."""
        self.gone = True
        relayed, self.relayed = self.relayed, None
        if relayed is not None:
            relayed.hang_up()

    def _finished(self) -> None:
        self.complete = True
        self.relayed = None
        self._connection.answered(self)


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])
