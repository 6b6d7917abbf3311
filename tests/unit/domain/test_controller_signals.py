"""The small pure parts of the controller: smoothed demand, readiness, distances, ids and cursors."""

from dataclasses import replace

import pytest

from edgemind.domain.arrivals import DecayedArrivals
from edgemind.domain.decision_ids import DecisionPlace, format_cursor, locate_decision, parse_cursor
from edgemind.domain.readiness import ProbeOutcome, Readiness
from edgemind.domain.routing.distance import DEFAULT_RTT_MS, declared_rtt_ms, nearest_sites
from edgemind.domain.wire import DocumentInvalid
from tests.support.controllers import site

READY, LOADING, REFUSED, SLOW = ProbeOutcome.READY, ProbeOutcome.LOADING, ProbeOutcome.REFUSED, ProbeOutcome.SLOW


def test_demand_approaches_what_is_measured_and_fades_without_it() -> None:
    arrivals = DecayedArrivals(now_s=0.0, time_constant_s=1.0)
    for tick in range(1, 41):
        arrivals.observe(tick * 0.25, {"m": 100.0})
    assert arrivals.per_s("m") == pytest.approx(100.0, rel=0.01)

    arrivals.observe(11.0, {})
    assert arrivals.per_s("m") == pytest.approx(100.0 / 2.718, rel=0.01)


def test_a_single_burst_moves_the_demand_a_little() -> None:
    arrivals = DecayedArrivals(now_s=0.0)
    arrivals.observe(0.1, {"m": 100.0})
    assert 5.0 < arrivals.per_s("m") < 15.0


def test_models_nobody_asks_for_any_more_are_forgotten() -> None:
    arrivals = DecayedArrivals(now_s=0.0)
    arrivals.observe(1.0, {"m": 5.0})
    arrivals.observe(60.0, {})
    assert arrivals.per_s("m") == 0.0


@pytest.mark.parametrize(
    ("outcomes", "ready"),
    [
        ([], True),
        ([REFUSED], False),
        ([LOADING, LOADING, READY], True),
        ([READY, REFUSED], True),
        ([READY, REFUSED, REFUSED], False),
        ([READY, SLOW, SLOW, SLOW], True),
        ([READY, SLOW, SLOW, SLOW, SLOW], False),
        ([READY, LOADING], False),
        ([READY, REFUSED, REFUSED, READY], True),
    ],
)
def test_readiness_follows_its_checks(outcomes: list[ProbeOutcome], ready: bool) -> None:
    readiness = Readiness()
    for outcome in outcomes:
        readiness.observe(outcome)
    assert readiness.ready is ready


def test_a_distance_is_declared_by_either_side() -> None:
    near = replace(site("a"), rtt_ms={"b": 3.0})
    assert declared_rtt_ms(near, site("b")) == 3.0
    assert declared_rtt_ms(site("b"), near) == 3.0
    assert declared_rtt_ms(site("a"), site("c")) == DEFAULT_RTT_MS
    assert declared_rtt_ms(near, near) == 0.0
    assert declared_rtt_ms(near, None) == DEFAULT_RTT_MS


def test_the_nearest_sites_are_taken_and_ties_go_around() -> None:
    order = [site(name) for name in "abcdef"]
    own = replace(order[3], rtt_ms={"a": 1.0})
    others = [one for one in order if one.name != "d"]

    assert [one.name for one in nearest_sites(own, order, others, 3)] == ["a", "e", "f"]
    assert len(nearest_sites(own, order, others, 99)) == 5


@pytest.mark.parametrize(
    ("decision_id", "place"),
    [
        ("dec-site-a-0-0123456789abcdef", DecisionPlace("site-a", 0)),
        ("dec-x-12-0123456789abcdef", DecisionPlace("x", 12)),
        ("dec-a-1-b-3-0123456789abcdef", DecisionPlace("a-1-b", 3)),
        ("dec-site-a-0-0123456789ABCDEF", None),
        ("dec-site-a-0123456789abcdef", None),
        ("dec-site-a-0-0123456789abcdef\n", None),
        ("", None),
    ],
)
def test_a_decision_id_tells_where_it_was_made(decision_id: str, place: DecisionPlace | None) -> None:
    assert locate_decision(decision_id) == place


def test_a_cursor_comes_back_as_it_was_given_out() -> None:
    at_ms, decision_id = 1_700_000_000_123, "dec-site-a-0-0123456789abcdef"
    assert parse_cursor(format_cursor(at_ms, decision_id)) == (at_ms, decision_id)


@pytest.mark.parametrize("cursor", ["", "x", "12", "12.", ".id", "12.id with spaces", "1" * 40 + ".id"])
def test_any_other_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(DocumentInvalid, match="next_cursor"):
        parse_cursor(cursor)
