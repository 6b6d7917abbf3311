"""From growing counters to what happened lately."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dashboard.history import FLOW_WINDOW_MS, GAP_MS, TREND_POINTS, History, Reading, added_latency, flows
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import GatewayCounters
from tests.unit.dashboard.fleets import AT_MS, counters, fleet, site


def reading(at_ms: int, **by_ingress: GatewayCounters) -> Reading:
    return Reading(at_ms, by_ingress)


def test_from_one_reading_only_everything_since_the_start_is_known() -> None:
    one = flows([reading(0, a=counters(7, by_site={"a": 4, "b": 3}, by_reason={"table": 7}))])
    assert one.seconds is None
    assert one.by_ingress == {"a": Counter(a=4, b=3)}
    assert flows([]).by_ingress == {}


def test_what_grew_between_readings_is_what_happened() -> None:
    before = reading(0, a=counters(7, shed=1, by_site={"a": 4, "b": 3}, by_reason={"table": 7}))
    after = reading(4000, a=counters(12, shed=2, failed=1, by_site={"a": 9, "b": 3}, by_reason={"table": 12}))
    lately = flows([before, after])
    assert lately.seconds == 4.0
    assert +lately.by_ingress["a"] == Counter(a=5)
    assert lately.by_reason == Counter(table=5)
    assert (lately.ended["shed"], lately.ended["failed"]) == (1, 1)


def test_a_gateway_that_was_started_anew_counts_from_zero() -> None:
    steps = [reading(0, a=counters(90, by_site={"a": 90})), reading(2000, a=counters(3, by_site={"a": 2, "b": 1}))]
    assert flows(steps).by_ingress["a"] == Counter(a=2, b=1)


def test_a_site_that_is_away_for_a_while_loses_nothing_and_invents_nothing() -> None:
    steps = [
        reading(0, a=counters(5, by_site={"a": 5})),
        reading(2000),
        reading(4000, a=counters(8, by_site={"a": 8}), late=counters(100, by_site={"a": 100})),
    ]
    assert flows(steps).by_ingress == {"a": Counter(a=3)}


@given(st.lists(st.integers(0, 50), min_size=2, max_size=12))
def test_growth_adds_up_to_the_last_counter_less_the_first(growth: list[int]) -> None:
    totals = [sum(growth[: k + 1]) for k in range(len(growth))]
    steps = [reading(k * 2000, a=counters(total, by_site={"a": total})) for k, total in enumerate(totals)]
    assert flows(steps).by_ingress["a"].total() == totals[-1] - totals[0]


def test_history_is_bounded() -> None:
    history = History()
    for k in range(TREND_POINTS + 50):
        history.add(fleet(site("site-a", counters=counters(k)), at_ms=AT_MS + k * 2000))
    assert len(history.trend()) == TREND_POINTS
    assert history.flows().seconds == FLOW_WINDOW_MS / 1000


def test_where_nobody_looked_the_line_breaks_and_the_last_minute_begins_anew() -> None:
    history = History()
    for at_ms in (0, 2000, 2000 + GAP_MS + 1):
        history.add(fleet(site("site-a"), at_ms=AT_MS + at_ms))
    assert [point.stretch for point in history.trend()] == [1, 1, 2]
    assert history.flows().seconds is None


def test_a_clock_that_was_put_back_does_not_stop_the_page() -> None:
    history = History()
    for at_ms in (60_000, 59_000, 0, 2000):
        history.add(fleet(site("site-a"), at_ms=AT_MS + at_ms))
    assert [point.at_ms - AT_MS for point in history.trend()] == [60_000, 0, 2000]


def test_sites_that_are_down_count_for_nothing() -> None:
    fine = counters(10, requests_per_s=9.0, added_ms_p50=2.0, added_ms_p99=9.0)
    slow = counters(10, requests_per_s=1.0, added_ms_p50=12.0, added_ms_p99=90.0)
    awful = counters(10, requests_per_s=9.0, added_ms_p50=500.0, added_ms_p99=900.0)
    sites = [site("a", counters=fine), site("b", counters=slow), site("c", SiteState.GONE, counters=awful)]
    assert added_latency(sites) == (3.0, 90.0)
    history = History()
    history.add(fleet(*sites))
    assert history.trend()[0].requests_per_s == 10.0
    assert added_latency([site("d", counters=None)]) == (None, None)
