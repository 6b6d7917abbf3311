"""Request heads: what a parsed one says, and which byte sequences have been parsed before.

A keep-alive client sends the same head again and again, to the byte. Parsing is a pure function of the bytes, so a head
that llhttp has accepted once need not be parsed again: looking it up costs a tenth.
"""

from urllib.parse import unquote

import httptools

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.refusals import Refusal, bad_request, body_too_large, headers_too_large

UNKNOWN_LENGTH = -1
SEEN_HEADS_LIMIT = 512
SEEN_HEAD_BYTES = 4096
END_OF_HEAD = b"\r\n\r\n"


class Head:
    """A request's line and headers. Never changed, but for two notes of what others derived from it.

    `path` is decoded, `raw_path` as sent; `headers` are in order, `header` finds one by its lower-case name (the last,
    if it was sent twice). `length` is that of the body in bytes, or UNKNOWN_LENGTH if it is chunked.
    `admitted` belongs to admission, `passed` to forwarding: header lines passed on, by whether to a gateway.
    """

    __slots__ = (
        "admitted", "header", "headers", "http_version", "keep_alive", "length", "method", "passed", "path", "query",
        "raw_path",
    )  # fmt: skip

    def __init__(
        self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]], http_version: str, keep_alive: bool
    ) -> None:
        parsed = httptools.parse_url(url)
        self.raw_path: bytes = parsed.path or b"/"
        path = self.raw_path.decode("ascii")
        self.path = unquote(path) if "%" in path else path
        self.query: bytes = parsed.query or b""
        self.method = method
        self.headers = headers
        self.header = dict(headers)
        self.http_version = http_version
        self.keep_alive = keep_alive and http_version != "1.0"
        length = self.header.get(b"content-length")
        if length is not None:
            self.length = int(length)
        else:
            self.length = UNKNOWN_LENGTH if b"transfer-encoding" in self.header else 0
        self.admitted: object = None
        self.passed: dict[bool, bytes] = {}

    @property
    def expects_continue(self) -> bool:
        return self.length != 0 and self.header.get(b"expect", b"").lower() == b"100-continue"

    def fault(self, target_bytes: int, limits: Limits) -> Refusal | None:
        """Why a request with this head, and a target of this length, is refused whatever its body is, if so."""
        size = target_bytes + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > limits.max_header_bytes:
            return headers_too_large(limits.max_header_bytes)
        if self.http_version not in {"1.0", "1.1"}:
            return bad_request(f"This gateway speaks HTTP/1.1, not HTTP/{self.http_version}.")
        hosts = sum(1 for name, _ in self.headers if name == b"host")
        if hosts > 1 or (not hosts and self.http_version != "1.0"):
            return bad_request("A request needs exactly one Host header.")
        if self.length > limits.max_body_bytes:
            return body_too_large(limits.max_body_bytes)
        return None


class SeenHeads:
    """Heads that were accepted before, by their bytes; forgotten all at once when there are too many."""

    def __init__(self) -> None:
        self._heads: dict[bytes, Head] = {}

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """(head, body) if `data` is exactly one whole request whose head was seen before."""
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        head = self._heads.get(data[:end])
        if head is None or len(data) != end + head.length:
            return None
        return head, data[end:]

    def forget(self) -> None:
        """After a reload: they were accepted within the limits of then."""
        self._heads.clear()

    def remember(self, data: bytes, head: Head) -> None:
        """Note the head of `data`, which was parsed as exactly one whole request with this head."""
        end = data.find(END_OF_HEAD) + len(END_OF_HEAD)
        plain = head.keep_alive and head.length >= 0 and not head.expects_continue
        # No two requests of a neighbour are alike (what is left of the deadline), nor two of a traced client: they
        # would crowd out the others.
        plain = plain and b"x-edgemind-site-token" not in head.header and b"traceparent" not in head.header
        if plain and len(data) == end + head.length and end <= SEEN_HEAD_BYTES:
            if len(self._heads) >= SEEN_HEADS_LIMIT:
                self._heads.clear()
            self._heads[data[:end]] = head
