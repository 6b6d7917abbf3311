"""What a gateway believes of a place, who may serve a request, and the layout that a pick reads."""

import math
from bisect import bisect_right
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.fleet import DeviceClass, Tier
from edgemind.domain.requests import Constraints
from edgemind.domain.routing.candidates import REPORT_WEIGHT, Candidate
from edgemind.domain.routing.cost import expected_completion_ms, routing_cost_ms
from tests.unit.domain.routing.builders import MODEL, ZONES, candidate, compiled, fleets


def figures(one: Candidate) -> tuple[float, float, float, int, float]:
    return one.rtt_ms, one.service_ms, one.in_flight, one.slots, one.load_ms


# Belief


@given(fleets())
def test_the_inlined_formulas_equal_those_of_cost(fleet: list[Candidate]) -> None:
    for one in fleet:
        assert one.expected_ms == pytest.approx(expected_completion_ms(*figures(one)))
        assert one.cost_ms == pytest.approx(routing_cost_ms(*figures(one)))
        assert one.beyond == pytest.approx(one.in_flight + 1 - one.slots)


Event = Callable[[Candidate], None]
counts, durations_ms = st.integers(0, 60), st.floats(1, 500)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.just(Candidate.sent),
    st.just(lambda one: one.finished() if one.own else None),
    st.builds(lambda n, slots, ms: lambda one: one.report(n, slots, ms), counts, st.integers(0, 8), durations_ms),
    st.builds(lambda n: lambda one: one.know_others(n), counts),
    st.builds(lambda rtt, ms, slots: lambda one: one.measured(rtt, ms, slots), counts, durations_ms, st.integers(0, 8)),
)


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens_every_view_shows_the_present_cost(events: list[Event]) -> None:
    one = candidate(rtt_ms=5.0)
    views = [compiled(one), compiled(one, candidate("site-b"))]
    for happen in events:
        happen(one)
        assert one.expected_ms == pytest.approx(expected_completion_ms(*figures(one)))
        assert one.in_flight >= one.own >= 0
        assert one.slots >= 1
        for view in views:
            assert view.costs_ms[0] == one.cost_ms == pytest.approx(routing_cost_ms(*figures(one)))
            assert view.terms[0] == one.terms == (one.rtt_ms, one.service_ms, one.load_ms, one.slots)


def test_what_this_gateway_sent_counts_at_once_and_is_not_counted_twice_when_reported() -> None:
    one = candidate(rtt_ms=5.0)
    for _ in range(3):
        one.sent()
    assert one.in_flight == 3
    one.report(3, 4, 10.0)
    assert one.in_flight == 3, "all three of the report are this gateway's own"
    one.finished()
    assert one.in_flight == 2


def test_a_report_older_than_what_was_sent_takes_nothing_of_it_away() -> None:
    one = candidate(rtt_ms=5.0)
    one.sent()
    one.sent()
    one.report(0, 4, 10.0)
    assert one.in_flight == 2


def test_the_first_report_stands_for_itself_and_later_ones_are_averaged() -> None:
    one = Candidate("k", candidate().site, MODEL, 4, 10.0, 5.0)
    one.report(10, 4, 10.0)
    assert one.in_flight == 10
    one.report(0, 4, 10.0)
    assert one.in_flight == pytest.approx(10 * (1 - REPORT_WEIGHT))


def test_a_report_that_is_too_old_is_kept_and_not_compared() -> None:
    one = candidate(rtt_ms=5.0)
    view = compiled(one)
    one.report(6, 4, 10.0, fresh=False)
    assert one.others > 0
    assert view.costs_ms == [math.inf]
    one.report(6, 4, 10.0)
    assert view.costs_ms == [one.cost_ms]


def test_a_view_that_is_forgotten_stays_as_it_was() -> None:
    one = candidate()
    view = compiled(one)
    before = list(view.costs_ms)
    one.forget_views()
    for _ in range(9):
        one.sent()
    assert view.costs_ms == before


# Filters


@given(fleets(), st.lists(st.sampled_from(ZONES), min_size=1, unique=True))
def test_a_place_outside_the_residency_is_never_a_candidate(fleet: list[Candidate], residency: list[str]) -> None:
    wanted = frozenset(residency)
    chosen = compiled(*fleet, constraints=Constraints(MODEL, wanted))
    assert all(one.site.zones & wanted for one in (*chosen.members, *chosen.cloud))
    inside = [one for one in fleet if one.site.zones & wanted]
    assert chosen.residency_empty == (not inside), "unsatisfiable only if nobody, healthy or not, lies inside"


@given(fleets())
def test_everybody_is_a_candidate_or_excluded_for_a_reason(fleet: list[Candidate]) -> None:
    chosen = compiled(*fleet, closed={"site-b": "draining"})
    assert len(chosen.members) + len(chosen.cloud) + len(chosen.exclusions) == len(fleet)
    assert all(one.ready and one.available and one.site.name != "site-b" for one in (*chosen.members, *chosen.cloud))
    assert not chosen.residency_empty
    assert chosen.local is None or chosen.local.site.name == "site-a"


def test_every_exclusion_says_why() -> None:
    outside = candidate("site-a", zones=["fr"])
    phones_only = candidate("site-b", zones=["de"], device_classes=frozenset({DeviceClass.MOBILE}))
    draining, cold, broken = (candidate(f"site-{name}", zones=["de"]) for name in "cde")
    cold.ready = False
    broken.available = False
    serving = candidate("site-f", zones=["de"], device_classes=frozenset({DeviceClass.XR}))
    chosen = compiled(
        outside, phones_only, draining, cold, broken, serving,
        constraints=Constraints(MODEL, frozenset({"de"}), DeviceClass.XR), closed={"site-c": "draining"},
    )  # fmt: skip
    assert chosen.members == (serving,)
    assert {one.site: one.why for one in chosen.exclusions} == {
        "site-a": "outside the residency",
        "site-b": "does not serve this device class",
        "site-c": "draining",
        "site-d": "model not ready",
        "site-e": "ejected after failures",
    }


def test_a_forwarded_request_stays_here() -> None:
    here, there = candidate("site-a"), candidate("site-b")
    chosen = compiled(here, there, constraints=Constraints(MODEL, local_only=True))
    assert chosen.members == (here,)
    assert chosen.exclusions[0].why == "already forwarded once"


def test_the_cloud_is_kept_apart() -> None:
    edge, cloud = candidate("site-a"), candidate("cloud", 40.0, tier=Tier.CLOUD)
    chosen = compiled(edge, cloud)
    assert (chosen.members, chosen.cloud) == ((edge,), (cloud,))
    assert chosen.position_of_site == {"site-a": 0}


# The layout of the table's weights

weights = st.dictionaries(st.sampled_from([f"site-{name}" for name in "abcdef"]), st.floats(0, 1e12), max_size=6)
draws = st.floats(0, 1, exclude_max=True)


@given(fleets(), weights, draws)
def test_every_draw_has_an_owner_and_the_weights_end_at_one(
    fleet: list[Candidate], weights: dict[str, float], draw: float
) -> None:
    chosen = compiled(*fleet, weights=weights)
    if not chosen.members:
        assert chosen.cumulative == []
        return
    assert chosen.cumulative[-1] == 1.0
    assert chosen.cumulative == sorted(chosen.cumulative)
    position = bisect_right(chosen.cumulative, draw)
    assert position < len(chosen.members)
    shares = [b - a for a, b in zip([0.0, *chosen.cumulative], chosen.cumulative, strict=False)]
    assert shares[position] > 0
    if any(weights.get(one.site.name, 0.0) > 1e-300 for one in chosen.members):
        assert weights.get(chosen.members[position].site.name, 0.0) > 0, (
            "a site without weight is never the first choice"
        )


@given(st.floats(0, 1, exclude_max=True))
def test_rounding_leaves_no_gap_at_the_end(draw: float) -> None:
    sites = [candidate(f"site-{k}") for k in range(10)]
    chosen = compiled(*sites, candidate("unweighted"), weights={f"site-{k}": 0.1 for k in range(10)})
    assert chosen.members[bisect_right(chosen.cumulative, draw)].site.name != "unweighted"
    assert chosen.members[bisect_right(chosen.cumulative, math.nextafter(1.0, 0.0))] is sites[-1]


def test_servers_of_one_site_share_its_weight_by_their_slots() -> None:
    small, large = candidate("site-a", slots=2, key="1"), candidate("site-a", slots=6, key="2")
    other = candidate("site-b", 5.0)
    assert compiled(small, large, other, weights={"site-a": 50.0, "site-b": 50.0}).cumulative == [0.125, 0.5, 1.0]


def test_without_a_table_the_nearest_is_the_first_choice() -> None:
    near, far = candidate("site-b", 5.0), candidate("site-c", 6.0)
    assert compiled(far, near).cumulative == [0.0, 1.0]
    assert compiled(far, near, weights={"elsewhere": 5.0}).cumulative == [0.0, 1.0]
