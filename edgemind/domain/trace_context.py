"""W3C Trace Context (level 1): which trace a request belongs to, as one header says it and the next one does.

A header that breaks the rules is as none: a trace of its own begins. Source: https://www.w3.org/TR/trace-context-1/
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII | re.DOTALL)
_KEY = rb"(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
_MEMBER = re.compile(_KEY + rb"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16
MAX_STATE_BYTES = 512
MAX_STATE_MEMBERS = 32


class TraceContext(NamedTuple):
    """`trace_id` are 32 hex digits. `parent_id` are the 16 of the span that caused this one; empty: the trace began
    here. `state` is what others wrote into `tracestate`, to be passed on as it came."""

    trace_id: str
    parent_id: str = ""
    sampled: bool = False
    state: bytes = b""


def parse_traceparent(raw: bytes) -> TraceContext | None:
    """What a `traceparent` header says, or None where a new trace has to begin.

    A version above 00 is read as far as 00 goes; 00 itself ends after its flags, and ff does not exist.
    """
    match = _TRACEPARENT.fullmatch(raw)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == b"ff" or (version == b"00" and more is not None) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id.decode(), span_id.decode(), bool(int(flags, 16) & 1))


def bounded_tracestate(values: Iterable[bytes]) -> bytes:
    """The members of all `tracestate` headers of a request, in order, as one; empty if any is malformed.

    What does not fit is left out from the end, as the oldest: 32 members, 512 bytes.
    """
    members = [member.strip(b" \t") for value in values for member in value.split(b",")]
    members = [member for member in members if member]
    if not all(_MEMBER.fullmatch(member) for member in members):
        return b""
    del members[MAX_STATE_MEMBERS:]
    while members and len(state := b",".join(members)) > MAX_STATE_BYTES:
        members.pop()
    return state if members else b""


def continued_trace(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext | None:
    """The trace of a request with these headers (lower-case names); None: without a sound one, or with two."""
    pairs = list(headers)
    parents = [value for name, value in pairs if name == b"traceparent"]
    context = parse_traceparent(parents[0].strip(b" \t")) if len(parents) == 1 else None
    if context is None:
        return None
    state = bounded_tracestate(value for name, value in pairs if name == b"tracestate")
    return context._replace(state=state) if state else context


def format_traceparent(trace_id: str, span_id: str, *, sampled: bool) -> str:
    return f"00-{trace_id}-{span_id}-0{int(sampled)}"
