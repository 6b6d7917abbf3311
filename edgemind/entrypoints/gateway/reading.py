"""Bytes of a client connection -> whole requests, within the limits. No I/O: `feed` returns what they amount to."""

from collections.abc import Callable
from enum import Enum

import httptools

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.exchange import header_block
from edgemind.entrypoints.gateway.heads import Head, SeenHeads
from edgemind.entrypoints.gateway.refusals import Refusal, bad_request, body_too_large, headers_too_large

CHECK_BEFORE_BODY_BYTES = 64 * 1024
"""A body announced to be larger, or of unknown length, is only read for somebody who may send it."""

Request = tuple[Head, bytes]
"""A request's head and its whole body."""
Preflight = Callable[[Head], Refusal | None]
"""Looks at a head alone: a refusal, or None to read the body. Asked for large bodies, and those of unknown length."""
Room = Callable[[], Refusal | None]
"""Whether what this connection holds fits beside what all others do: a refusal if not. Asked for large bodies."""


class Phase(Enum):
    """What the next byte belongs to."""

    IDLE = "between requests"
    HEAD = "headers"
    BODY = "body"


class RequestReader:
    """The parser of one connection.

    After `feed`, `refusal` is why nothing more is read (the requests returned before it stand), and `wants_continue`
    that the client waits for `100 Continue`. `held_bytes` is what the body being read may grow to without asking for
    `room` again.
    """

    def __init__(self, limits: Limits, preflight: Preflight, room: Room, seen: SeenHeads) -> None:
        self._limits = limits
        self._preflight = preflight
        self._room = room
        self._seen = seen
        self._parser = self._new_parser()
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._head: Head | None = None
        self._fed_bytes = 0
        self._unread_bytes = 0
        self._body_bytes = 0
        self.held_bytes = 0
        self._whole: list[Request] = []
        self._may_check = False
        self.phase = Phase.IDLE
        self.refusal: Refusal | None = None
        self.wants_continue = False

    def feed(self, data: bytes, *, nothing_pending: bool) -> list[Request]:
        """The requests completed by `data`. `nothing_pending`: no earlier request is still being answered."""
        begins = self.phase is Phase.IDLE
        if begins:
            seen = self._seen.find(data)
            if seen is not None:
                return [seen]
            self.phase, self._unread_bytes = Phase.HEAD, 0
        self._whole = []
        self._may_check = nothing_pending
        self.wants_continue = False
        self._fed_bytes = len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as exc:
            self.refusal = _refusal_of(exc)
        else:
            self._after(data, alone=begins)
        # Given away: an idle connection must not hold on to the last body that came over it.
        whole, self._whole = self._whole, []
        return whole

    def _parse(self, data: bytes) -> None:
        rest = data
        while rest:
            try:
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as exc:
                rest = self._without_upgrade(rest[exc.args[0] :])

    def _without_upgrade(self, rest: bytes) -> bytes:
        """No protocol is offered to upgrade to: the request again, as if it had not asked (RFC 9110, 7.8).

        httptools takes what follows such a head for the other protocol, although it may be the request's body.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version().encode()
        headers = [pair for pair in self._headers if pair[0] not in {b"upgrade", b"connection"}]
        if any(name == b"connection" and b"close" in value.lower() for name, value in self._headers):
            headers.append((b"connection", b"close"))
        self._parser = self._new_parser()
        return b"%b %b HTTP/%b\r\n%b\r\n%b" % (method, self._url, version, header_block(headers), rest)

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # Bytes behind a request with `Connection: close` are ignored instead of failing the request itself.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def close(self) -> None:
        """The connection is gone. Parser and reader hold each other, and only the collector could free the two."""
        del self._parser

    def _after(self, data: bytes, *, alone: bool) -> None:
        if self.phase is not Phase.IDLE:
            # httptools keeps an unfinished header (or trailer) to itself: what came in since it last gave something
            # out is counted instead.
            self._unread_bytes += len(data)
            if self._unread_bytes > self._limits.max_header_bytes:
                self.refusal = headers_too_large(self._limits.max_header_bytes)
        elif alone and len(self._whole) == 1:
            self._seen.remember(data, self._whole[0][0])

    # httptools callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._chunks = []
        self._body_bytes = 0
        if self.phase is Phase.IDLE:
            # Pipelined: it begins somewhere in the bytes that are being parsed.
            self.phase, self._unread_bytes = Phase.HEAD, -self._fed_bytes

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer must not pass for a header.
        if self.phase is Phase.HEAD:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        self._unread_bytes = -self._fed_bytes
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise _Refused(bad_request("This gateway is no proxy: CONNECT is not served."))
            return
        version, keep_alive = parser.get_http_version(), parser.should_keep_alive()
        head = self._head = Head(parser.get_method(), self._url, self._headers, version, keep_alive)
        refusal = head.fault(len(self._url), self._limits)
        if refusal is None and not 0 <= head.length <= CHECK_BEFORE_BODY_BYTES:
            refusal = self._preflight(head) if self._may_check else None
        if refusal is not None:
            raise _Refused(refusal)
        self._hold(head.length if head.length >= 0 else CHECK_BEFORE_BODY_BYTES)
        self.phase = Phase.BODY
        self.wants_continue = head.expects_continue and self._may_check

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body_bytes:
            raise _Refused(body_too_large(self._limits.max_body_bytes))
        if self._body_bytes > self.held_bytes:
            self._hold(2 * self.held_bytes)
        self._unread_bytes = -self._fed_bytes
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        head, chunks = self._head, self._chunks
        self._head, self._chunks = None, []
        self.phase = Phase.IDLE
        self.held_bytes = 0
        self._may_check = self.wants_continue = False
        if head is not None:
            self._whole.append((head, chunks[0] if len(chunks) == 1 else b"".join(chunks)))

    def _hold(self, size: int) -> None:
        """A body of unknown length asks for room as it doubles, so that many small ones do not count as large."""
        self.held_bytes = size
        if size > CHECK_BEFORE_BODY_BYTES:
            refusal = self._room()
            if refusal is not None:
                raise _Refused(refusal)


class _Refused(Exception):
    """Raised inside a parser callback to stop parsing; httptools wraps it and `_refusal_of` unwraps it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _refusal_of(error: Exception) -> Refusal:
    cause = error.__context__
    if isinstance(cause, _Refused):
        return cause.refusal
    return bad_request(f"This is not a valid HTTP/1.1 request: {error}")
