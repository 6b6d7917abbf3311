"""Spans as values, and which are worth keeping: decided when their work is over, and its outcome known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SpanValue = str | bool | int | float | tuple[str, ...]
_SAMPLED_BITS = 56
"""Of a trace's id, from the right: those that W3C asks to be random, and that OpenTelemetry samples by."""


class SpanKind(StrEnum):
    """What a span is to the one that caused it."""

    SERVER = "server"
    CLIENT = "client"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Span:
    """A finished piece of work in a trace. Ids are hex digits, times nanoseconds since 1970.

    `error` says why it failed; None: it did not. Neither it nor an attribute may hold what a user wrote or read.
    """

    name: str
    kind: SpanKind
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, SpanValue] = field(default_factory=dict)
    error: str | None = None
    events: tuple[tuple[str, int], ...] = ()
    """Names, and when they happened."""


@dataclass(frozen=True, slots=True)
class KeepRule:
    """`ratio` of all traces, by their ids, so that every process of a fleet keeps the same ones; and whatever was slow.

    Errors, refusals and late answers are kept by whoever knows of them, whatever this says.
    """

    ratio: float
    slow_ms: float

    def samples(self, trace_id: int) -> bool:
        return (trace_id & ((1 << _SAMPLED_BITS) - 1)) < self.ratio * (1 << _SAMPLED_BITS)
