"""Which decisions become spans, and what those say."""

from random import Random
from typing import Any

import pytest

from edgemind.domain.spans import KeepRule, Span
from edgemind.domain.trace_context import TraceContext
from edgemind.ports.telemetry import MakeSpan
from edgemind.services.decision_spans import CLIENT_LEFT, DecisionTracing
from edgemind.services.recent_decisions import DecisionRecord
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import endpoint, fleet, record, router, site

OF = router(fleet(site("site-a", endpoint())))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Offered:
    """A sink that makes what it is offered at once."""

    dropped = exported = 0

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def offer(self, make: MakeSpan) -> None:
        self.spans.append(make())

    def close(self) -> None:
        """Nothing waits."""


def tracing(sink: Offered | None, ratio: float = 0.0) -> DecisionTracing:
    return DecisionTracing("site-a", KeepRule(ratio, 5000.0), sink, ManualClock(), Random(1))


def decided(**changes: Any) -> DecisionRecord:
    """An answer in time, of a trace that is not sampled."""
    made = record(OF, "dec-site-a-0-00000000000000a1")
    made.trace, made.chosen, made.reason = TraceContext(TRACE), next(iter(OF.targets.values())).candidate, "table"
    made.status, made.first_byte_ms, made.actual_ms = 200, 10.0, 20.0
    made.attempts = (("site-a", "answered 200"),)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def spans(**changes: Any) -> list[Span]:
    sink = Offered()
    tracing(sink).finished(decided(**changes))
    return sink.spans


def test_what_went_well_is_not_kept_unless_its_trace_is() -> None:
    assert not spans()
    assert not spans(status=404)
    [kept] = spans(trace=TraceContext(TRACE, "00f067aa0ba902b7", sampled=True))
    assert (kept.trace_id, kept.span_id, kept.parent_id) == (TRACE, "00000000000000a1", "00f067aa0ba902b7")
    assert kept.end_ns - kept.start_ns == 20_000_000
    assert kept.error is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": 502, "actual_ms": 0.0}, "status 502"),
        ({"status": 500}, "status 500"),
        (
            {"status": 503, "reason": "shed:overloaded", "actual_ms": 0.0, "chosen": None, "attempts": ()},
            "shed:overloaded",
        ),
        ({"status": 403, "reason": "shed:residency_unsatisfiable", "actual_ms": 0.0}, "shed:residency_unsatisfiable"),
        ({"actual_ms": 1001.0}, None),
        ({"attempts": (("site-b", "answered 503"), ("site-a", "answered 200"))}, None),
        ({"status": 499, "actual_ms": 0.0, "attempts": (("site-a", CLIENT_LEFT),)}, None),
        ({"actual_ms": 0.0, "attempts": (("site-a", CLIENT_LEFT),)}, None),
        ({"actual_ms": 0.0, "attempts": (("site-a", "died"),)}, "cut"),
    ],
)
def test_what_did_not_is_always_kept(changes: dict[str, Any], error: str | None) -> None:
    [kept] = spans(**changes)
    assert kept.error == error


def test_a_slow_one_is_kept_though_it_was_in_time() -> None:
    made = decided(actual_ms=6000.0)
    made.demand = made.demand._replace(deadline_ms=60_000.0)
    sink = Offered()
    tracing(sink).finished(made)
    assert sink.spans[0].attributes["edgemind.late"] is False


def test_a_ratio_of_the_traces_that_begin_here_is_sampled_and_none_where_nobody_exports() -> None:
    on, off = tracing(Offered(), 0.25), tracing(None, 1.0)
    begun = [on.begin() for _ in range(4000)]
    assert len({one.trace_id for one in begun}) == 4000
    assert 800 < sum(one.sampled for one in begun) < 1200
    assert not any(off.begin().sampled for _ in range(10))


def test_every_process_samples_the_same_traces() -> None:
    rule = KeepRule(0.1, 5000.0)
    assert rule.samples(int("f" * 18 + "0" * 14, 16))
    assert not rule.samples(int("0" * 18 + "f" * 14, 16))
    assert not KeepRule(0.0, 1.0).samples(0)
    assert KeepRule(1.0, 1.0).samples(2**128 - 1)
