"""The first choice of each policy."""

import math

from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.requests import Reason
from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.policies import POLICIES, hybrid, least_request, local_first
from tests.unit.domain.routing.builders import candidate, compiled, fleets

EVEN = {"site-a": 1.0, "site-b": 1.0}


@given(fleets(), st.sampled_from(sorted(POLICIES)), st.floats(0, 1, exclude_max=True), st.floats(0, 100))
def test_every_policy_picks_a_member_and_the_same_one_again(
    fleet: list[Candidate], name: str, draw: float, margin_ms: float
) -> None:
    chosen = compiled(*fleet)
    if chosen.members:
        first = POLICIES[name](chosen, draw, margin_ms)
        assert first[0] in chosen.members
        assert POLICIES[name](chosen, draw, margin_ms) == first


def test_hybrid_follows_the_weights_of_the_table() -> None:
    here, there = candidate("site-a"), candidate("site-b", 1.0)
    chosen = compiled(here, there, weights={"site-a": 3.0, "site-b": 1.0})
    assert hybrid(chosen, 0.74, 2.0) == (here, Reason.TABLE)
    assert hybrid(chosen, 0.76, 2.0) == (there, Reason.TABLE)


def test_hybrid_overrides_when_another_is_better_by_more_than_the_margin() -> None:
    here, there = candidate("site-a"), candidate("site-b", 3.0)
    chosen = compiled(here, there, weights=EVEN)
    assert hybrid(chosen, 0.9, margin_ms=2.0) == (here, Reason.OVERRIDE)
    assert hybrid(chosen, 0.9, margin_ms=3.0) == (there, Reason.TABLE)


def test_hybrid_charges_waiting_more_than_travelling() -> None:
    queued, far = candidate("site-a", in_flight=5), candidate("site-b", 10.0)
    assert queued.expected_ms < far.expected_ms
    assert hybrid(compiled(queued, far, weights=EVEN), 0.0, 2.0) == (far, Reason.OVERRIDE)


def test_hybrid_never_overrides_towards_an_old_report() -> None:
    queued, stale = candidate("site-a", in_flight=50), candidate("site-b", 5.0)
    stale.fresh = False
    stale.refresh()
    assert hybrid(compiled(queued, stale, weights=EVEN), 0.0, 2.0) == (queued, Reason.TABLE)
    assert hybrid(compiled(queued, stale, weights=EVEN), 0.9, 2.0) == (stale, Reason.TABLE)


def test_hybrid_follows_the_table_when_nothing_is_fresh() -> None:
    sites = [candidate("site-a"), candidate("site-b", 5.0)]
    for one in sites:
        one.fresh = False
        one.refresh()
    chosen = compiled(*sites, weights=EVEN)
    assert chosen.costs_ms == [math.inf, math.inf]
    assert hybrid(chosen, 0.9, 2.0) == (sites[1], Reason.TABLE)


def test_local_first_stays_while_a_slot_is_free() -> None:
    here, there = candidate("site-a", in_flight=3, service_ms=50.0), candidate("site-b", 1.0)
    assert local_first(compiled(here, there), 0.0, 2.0) == (here, Reason.LOCAL)
    here.sent()
    assert local_first(compiled(here, there), 0.0, 2.0) == (there, Reason.OVERRIDE)


def test_local_first_without_fresh_reports_takes_the_least_of_what_it_knows() -> None:
    near, far = candidate("site-b", 5.0), candidate("site-c", 9.0)
    for one in (near, far):
        one.fresh = False
        one.refresh()
    assert local_first(compiled(far, near), 0.0, 2.0) == (near, Reason.OVERRIDE)


def test_least_request_compares_occupancy_then_time_and_trusts_no_old_report() -> None:
    large, small = candidate("site-a", slots=8, in_flight=2), candidate("site-b", slots=2, in_flight=1)
    idle_but_silent = candidate("site-c")
    idle_but_silent.fresh = False
    assert least_request(compiled(large, small, idle_but_silent), 0.0, 2.0) == (large, Reason.LEAST_REQUEST)
    near, far = candidate("site-d", 2.0), candidate("site-e", 3.0)
    assert least_request(compiled(far, near), 0.0, 2.0) == (near, Reason.LEAST_REQUEST)
