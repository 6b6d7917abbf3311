"""Three sites' records of one round become one trace, whose parts each site makes alone."""

from dataclasses import replace

from edgemind.domain.spans import Span
from edgemind.domain.swarm.history import round_trace_id
from edgemind.domain.swarm.records import Fence
from edgemind.ports.telemetry import MakeSpan
from edgemind.services.rounds.round_spans import RoundSpans
from tests.support.clocks import ManualClock
from tests.support.round_records import SITES, effect, round_record

TRACE = round_trace_id(Fence(1, 3), "site-a/7/1")


class Offered:
    """A sink that makes what it is offered at once."""

    dropped = exported = 0

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def offer(self, make: MakeSpan) -> None:
        self.spans.append(make())

    def close(self) -> None:
        """Nothing waits."""


def test_one_round_at_three_sites_is_one_tree() -> None:
    sink = Offered()
    for site in SITES:
        RoundSpans(sink, ManualClock()).keep(round_record(site=site, trace_id=TRACE))
    assert {span.trace_id for span in sink.spans} == {TRACE}
    assert len({span.span_id for span in sink.spans}) == len(sink.spans)
    named = {span.name: span for span in sink.spans}
    assert set(named) == {
        "round 1.3", "decide", *(f"at {site}" for site in SITES), *(f"ballot of {site}" for site in SITES)
    }  # fmt: skip
    root = named["round 1.3"]
    assert root.parent_id == ""
    for site in SITES:
        assert named[f"at {site}"].parent_id == root.span_id
        assert named[f"ballot of {site}"].parent_id == named[f"at {site}"].span_id
    assert named["decide"].parent_id == named["at site-a"].span_id
    assert (root.end_ns - root.start_ns, named["decide"].end_ns) == (31_200_000, root.end_ns)
    assert [name for name, _ in named["at site-b"].events] == ["hint received", "asked to vote", "voted", "learned"]
    assert named["ballot of site-b"].attributes["edgemind.voter"] == "library"


def test_each_part_is_offered_once_and_an_effect_when_it_is_known() -> None:
    sink, clock = Offered(), ManualClock()
    spans, record = RoundSpans(sink, clock), round_record(trace_id=TRACE)
    spans.keep(record)
    count = len(sink.spans)
    spans.keep(record)
    assert len(sink.spans) == count
    failed = effect(record, "failed", "the cluster is away")
    spans.keep(replace(record, effects=(effect(record), failed)))
    applied, undone = sink.spans[count:]
    assert (applied.error, undone.error) == (None, "the cluster is away")
    assert applied.end_ns - applied.start_ns == 12_500_000
    assert applied.parent_id == next(span.span_id for span in sink.spans if span.name == "at site-a")


def test_a_round_without_an_outcome_is_an_error_and_one_whose_opening_is_unknown_has_no_trace() -> None:
    sink = Offered()
    spans = RoundSpans(sink, ManualClock())
    spans.keep(round_record(site="site-b"))
    assert not sink.spans
    spans.keep(
        round_record(site="site-b", trace_id=TRACE, outcome=None, learned_ms=None, ended="it could not be finished")
    )
    assert next(span for span in sink.spans if span.name == "at site-b").error == "it could not be finished"


def test_another_opening_of_the_same_number_is_another_trace() -> None:
    assert round_trace_id(Fence(1, 3), "site-a/8/1") != TRACE
    assert len(TRACE) == 32
