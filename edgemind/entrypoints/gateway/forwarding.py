"""Headers between client, gateway and upstream: what is passed on, what is added, what never leaves."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from edgemind.domain.trace_context import format_traceparent
from edgemind.entrypoints.gateway.exchange import Exchange, header_block
from edgemind.ports.inference import Headers
from edgemind.services.decision_spans import span_id
from edgemind.services.recent_decisions import DecisionRecord
from edgemind.services.targets import Target

TO_SERVERS = frozenset({b"content-type", b"accept", b"inference-header-content-length"})
"""Request headers that reach any upstream; a client's credentials and our own headers do not."""
TO_NEIGHBOURS = TO_SERVERS | {b"x-edgemind-residency", b"x-edgemind-device-class", b"x-edgemind-priority"}
"""Request headers that a neighbour's gateway needs as well."""
NOT_RELAYED = frozenset(
    {
        b"connection", b"keep-alive", b"transfer-encoding", b"content-length", b"server", b"date", b"trailer",
        b"upgrade", b"x-request-id", b"x-edgemind-site", b"x-edgemind-reason", b"x-edgemind-predicted-ms",
        b"x-edgemind-load", b"x-edgemind-trace",
    }
)  # fmt: skip
"""Response headers that belong to one connection, or that our receipt replaces."""
FIXED_HEADS_LIMIT = 1024
"""Serialized heads kept; paths come from clients, and so do their lengths."""
FIXED_PATH_BYTES = 256
LOAD_LIMIT = 1e7
"""A load report with a figure beyond this is nonsense, as one below zero is."""


class RequestHeads:
    """Serializes request heads. The fixed part of each is kept per (upstream, path).

    `own_spans`: this gateway exports its spans, so they are what caused the upstream's.
    """

    def __init__(self, site: str, site_token: str | None, *, own_spans: bool = False) -> None:
        self._site = site.encode()
        self._site_token = (site_token or "").encode()
        self._fixed: dict[tuple[str, bytes], bytes] = {}
        self._own_spans = own_spans

    def renew(self, site_token: str | None) -> None:
        """After a reload: addresses, keys and the token may have changed."""
        self._site_token = (site_token or "").encode()
        self._fixed.clear()

    def head(
        self, target: Target, exchange: Exchange, length: int, record: DecisionRecord, remaining_ms: float
    ) -> bytes:
        head, via_gateway = exchange.head, target.via_gateway
        path = head.raw_path + b"?" + head.query if head.query else head.raw_path
        fixed = self._fixed.get((target.candidate.key, path))
        if fixed is None:
            fixed = self._fix(target, path)
            if len(self._fixed) < FIXED_HEADS_LIMIT and len(path) <= FIXED_PATH_BYTES:
                self._fixed[(target.candidate.key, path)] = fixed
        passed = head.passed.get(via_gateway)
        if passed is None:
            wanted = TO_NEIGHBOURS if via_gateway else TO_SERVERS
            passed = head.passed[via_gateway] = header_block(pair for pair in head.headers if pair[0] in wanted)
        deadline = b"x-edgemind-deadline-ms: %.3f\r\n" % max(1.0, remaining_ms) if via_gateway else b""
        told = f"x-request-id: {record.decision_id}\r\ntraceparent: {self._traceparent(record)}\r\n".encode()
        state = record.trace.state
        if state:
            told += b"tracestate: %b\r\n" % state
        return b"%b%b%bcontent-length: %d\r\n%b\r\n" % (fixed, passed, deadline, length, told)

    def _traceparent(self, record: DecisionRecord) -> str:
        trace = record.trace
        cause = span_id(record) if self._own_spans or not trace.parent_id else trace.parent_id
        return format_traceparent(trace.trace_id, cause, sampled=trace.sampled)

    def _fix(self, target: Target, raw_path: bytes) -> bytes:
        base = urlsplit(target.base_url)
        # OpenAI clients write the base URL with its /v1, and the path of the request has it too.
        prefix = base.path.rstrip("/").removesuffix("/v1").encode()
        lines = [b"POST %b%b HTTP/1.1\r\nhost: %b\r\n" % (prefix, raw_path, base.netloc.encode())]
        if target.via_gateway:
            lines.append(
                b"x-edgemind-site-token: %b\r\nx-edgemind-forwarded-by: %b\r\n" % (self._site_token, self._site)
            )
        elif target.key:
            lines.append(b"authorization: Bearer %b\r\n" % target.key.encode())
        return b"".join(lines)


class ResponseHead(NamedTuple):
    """Header lines for the client, and what the headers told: body length, stream or not, stated service time."""

    lines: bytes
    length: int | None
    sse: bool
    service_ms: float | None


def response_head(headers: Headers, record: DecisionRecord) -> ResponseHead:
    known = dict(headers)
    service = known.get(b"x-simulated-service-ms") or known.get(b"x-edgemind-service-ms")
    length = known.get(b"content-length")
    return ResponseHead(
        b"".join([b"%b: %b\r\n" % pair for pair in headers if pair[0] not in NOT_RELAYED]) + receipt(record),
        None if length is None or b"transfer-encoding" in known else int(length),
        known.get(b"content-type", b"")[:17] == b"text/event-stream",
        None if service is None else _float(service),
    )


def receipt(record: DecisionRecord) -> bytes:
    """The header lines that tell a client which decision answered it."""
    site = record.chosen.site.name if record.chosen else ""
    text = (
        f"x-request-id: {record.decision_id}\r\nx-edgemind-site: {site}\r\n"
        f"x-edgemind-reason: {record.reason}\r\nx-edgemind-predicted-ms: {record.predicted_ms:.1f}\r\n"
        f"x-edgemind-trace: {record.trace.trace_id}\r\n"
    )
    return text.encode()


def load_line(in_flight: float, slots: int, service_ms: float) -> bytes:
    return b"x-edgemind-load: %d;%d;%.3f\r\n" % (in_flight, slots, service_ms)


def load_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[float, int, float] | None:
    """(in flight, slots, service ms) of a neighbour's load header, or None without a sound one."""
    for name, value in headers:
        if name == b"x-edgemind-load":
            fields = value.split(b";")
            try:
                in_flight, slots, service_ms = float(fields[0]), int(fields[1]), float(fields[2])
            except (ValueError, IndexError):
                return None
            sound = 0 <= in_flight < LOAD_LIMIT and 0 < slots < LOAD_LIMIT and 0 < service_ms < LOAD_LIMIT
            return (in_flight, slots, service_ms) if sound else None
    return None


def _float(value: bytes) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
