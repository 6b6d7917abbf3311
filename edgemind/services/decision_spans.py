"""A gateway's decisions as spans: whether one is kept, and what it says.

A span is made of the finished record alone. Records hold what routing saw of a request, so no prompt and no answer can
get into one.
"""

from functools import partial
from random import Random

from edgemind.domain.requests import SHED_PREFIX
from edgemind.domain.spans import KeepRule, Span, SpanKind, SpanValue
from edgemind.domain.trace_context import TraceContext
from edgemind.ports.clock import Clock
from edgemind.ports.telemetry import SpanSink
from edgemind.services.recent_decisions import DecisionRecord

SPAN_ID_DIGITS = 16
OPERATIONS = {"chat.completions": "chat", "completions": "text_completion", "embeddings": "embeddings"}
"""OpenTelemetry's names (GenAI conventions); an API it has no name for goes by its own."""
MAX_ATTEMPT_CHARS = 200
CLIENT_LEFT = "client hung up"
"""The outcome of an attempt whose client did not wait for it."""


def span_id(record: DecisionRecord) -> str:
    """A decision's id ends with 64 random bits: those of its span."""
    return record.decision_id[-SPAN_ID_DIGITS:]


class DecisionTracing:
    """One worker's. Without a `sink` traces are only passed on: a span that nobody exports is nobody's parent."""

    def __init__(self, ingress: str, rule: KeepRule, sink: SpanSink | None, clock: Clock, rng: Random) -> None:
        self._ingress = ingress
        self._rule = rule
        self._clock = clock
        self._rng = rng
        self._sink = sink

    @property
    def on(self) -> bool:
        return self._sink is not None

    @property
    def dropped(self) -> int:
        return self._sink.dropped if self._sink is not None else 0

    @property
    def exported(self) -> int:
        return self._sink.exported if self._sink is not None else 0

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()

    def begin(self) -> TraceContext:
        """The trace of a request that came with none."""
        number = self._rng.getrandbits(128) or 1
        return TraceContext(f"{number:032x}", "", self._sink is not None and self._rule.samples(number))

    def finished(self, record: DecisionRecord) -> None:
        """The request is over, whichever way; its record changes no more."""
        sink = self._sink
        if sink is None:
            return
        status = record.status
        if (
            record.trace.sampled
            or status >= 500
            # It was refused, failed, was cut or left: whole answers have their time.
            or not record.actual_ms
            or record.actual_ms > record.demand.deadline_ms
            or record.actual_ms > self._rule.slow_ms
            or (record.attempts and len(record.attempts) > 1)
        ):
            sink.offer(partial(decision_span, record, self._ingress, self._clock.wall_ms()))


def decision_span(record: DecisionRecord, ingress: str, ended_ms: int) -> Span:
    """`ended_ms` is when it was over, by the wall clock; how long it took is measured better, where it is known."""
    took_ms = record.actual_ms or max(0, ended_ms - record.at_ms)
    operation = OPERATIONS.get(record.api, record.api)
    return Span(
        name=f"{operation} {record.constraints.model}",
        kind=SpanKind.SERVER,
        trace_id=record.trace.trace_id,
        span_id=span_id(record),
        parent_id=record.trace.parent_id,
        start_ns=record.at_ms * 1_000_000,
        end_ns=record.at_ms * 1_000_000 + int(took_ms * 1e6),
        attributes={**_asked(record, operation, ingress), **_happened(record)},
        error=_error(record),
    )


def _asked(record: DecisionRecord, operation: str, ingress: str) -> dict[str, SpanValue]:
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": record.constraints.model,
        "edgemind.decision": record.decision_id,
        "edgemind.ingress": ingress,
        "edgemind.tenant": record.tenant,
        "edgemind.deadline_ms": record.demand.deadline_ms,
        "edgemind.priority": record.demand.priority.name.lower(),
        "edgemind.table_version": record.table_version,
    }


def _happened(record: DecisionRecord) -> dict[str, SpanValue]:
    told: dict[str, SpanValue] = {"edgemind.reason": record.reason}
    if record.status:
        told["http.response.status_code"] = record.status
    if record.chosen is not None:
        told |= {"edgemind.site": record.chosen.site.name, "edgemind.predicted_ms": round(record.predicted_ms, 3)}
    if record.actual_ms:
        told |= {
            "edgemind.actual_ms": round(record.actual_ms, 3),
            "edgemind.late": record.actual_ms > record.demand.deadline_ms,
        }
    if record.first_byte_ms:
        told["edgemind.first_byte_ms"] = round(record.first_byte_ms, 3)
    if record.attempts:
        told["edgemind.attempts"] = tuple(f"{site}: {what}"[:MAX_ATTEMPT_CHARS] for site, what in record.attempts)
    return told


def _error(record: DecisionRecord) -> str | None:
    if record.reason.startswith(SHED_PREFIX):
        return record.reason
    if record.status >= 500:
        return f"status {record.status}"
    if record.actual_ms or (record.attempts and record.attempts[-1][1] == CLIENT_LEFT):
        return None
    # Its status was sent, and its body never ended.
    return "cut" if record.status < 400 else None
