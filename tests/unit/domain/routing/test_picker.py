"""From candidates to a decision: what session, deadline and priority change, and how a request is turned away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.fleet import Tier
from edgemind.domain.requests import Constraints, Demand, Priority, Reason, ShedReason
from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.domain.routing.picker import QUEUE_RATIO_LIMIT, Pick, Shed, pick, pick_other
from edgemind.domain.routing.policies import POLICIES, hybrid
from tests.unit.domain.routing.builders import MODEL, PATIENT, ZONES, candidate, compiled, fleets


def decide(
    chosen: CandidateSet, demand: Demand = PATIENT, draw: float = 0.0, session_margin_ms: float = 2.0
) -> Pick | Shed:
    return pick(chosen, demand, hybrid, draw, margin_ms=2.0, session_margin_ms=session_margin_ms)


demands = st.builds(
    Demand,
    st.floats(0.1, 60_000),
    st.sampled_from(Priority),
    st.one_of(st.none(), st.sampled_from([f"site-{name}" for name in "abcdefg"])),
)


@given(
    fleets(),
    st.lists(st.sampled_from(ZONES), unique=True),
    demands,
    st.sampled_from(sorted(POLICIES)),
    st.floats(0, 1, exclude_max=True),
)
def test_whatever_is_asked_the_answer_is_admissible_or_a_shed(
    fleet: list[Candidate], residency: list[str], demand: Demand, policy: str, draw: float
) -> None:
    wanted = frozenset(residency)
    chosen = compiled(*fleet, constraints=Constraints(MODEL, wanted))
    result = pick(chosen, demand, POLICIES[policy], draw, margin_ms=2.0, session_margin_ms=2.0)
    again = pick(chosen, demand, POLICIES[policy], draw, margin_ms=2.0, session_margin_ms=2.0)
    assert again == result, "equal inputs and draw give the same pick"
    if isinstance(result, Shed):
        assert result.retry_helps or result.reason in {
            ShedReason.RESIDENCY_UNSATISFIABLE,
            ShedReason.DEADLINE_UNREACHABLE,
        }
        return
    one, reason = result
    assert not wanted or one.site.zones & wanted, "residency is never traded for anything"
    assert one.expected_ms <= demand.deadline_ms
    assert one.beyond <= max(0.0, QUEUE_RATIO_LIMIT[demand.priority] * one.slots)
    assert one.ready
    assert one.available
    assert (reason is Reason.CLOUD) == (one.site.tier is Tier.CLOUD)


# Session


def test_a_session_stays_where_it_was_while_that_costs_next_to_nothing() -> None:
    here, there = candidate("site-a"), candidate("site-b", 1.5)
    chosen = compiled(here, there, weights={"site-a": 1.0})
    assert decide(chosen) == (here, Reason.TABLE)
    assert decide(chosen, Demand(30_000.0, session_site="site-b")) == (there, Reason.SESSION)


@pytest.mark.parametrize("last", ["site-b", "site-that-left"])
def test_a_session_moves_when_staying_costs_more_or_its_site_is_gone(last: str) -> None:
    here, there = candidate("site-a"), candidate("site-b", 2.5)
    assert decide(compiled(here, there), Demand(30_000.0, session_site=last)) == (here, Reason.TABLE)


# Deadline


def test_a_deadline_that_the_first_choice_would_miss_goes_to_the_soonest_that_meets_it() -> None:
    slow_but_first, quick = candidate("site-a", service_ms=30.0), candidate("site-b", 29.0, service_ms=1.5)
    chosen = compiled(slow_but_first, quick, weights={"site-b": 1.0})
    quick.know_others(0)
    assert decide(chosen, Demand(40.0)) == (quick, Reason.TABLE)
    slow_first = compiled(slow_but_first, quick, weights={"site-a": 1.0})
    assert decide(slow_first, Demand(30.2)) == (slow_but_first, Reason.TABLE)
    slow_but_first.measured(0.0, 31.0, 4)
    assert decide(slow_first, Demand(30.8)) == (quick, Reason.OVERRIDE)


def test_the_cloud_serves_when_no_site_meets_the_deadline() -> None:
    full, cloud = candidate("site-a", in_flight=15), candidate("cloud", 20.0, tier=Tier.CLOUD)
    chosen = compiled(full, cloud)
    assert decide(chosen, Demand(100.0)) == (full, Reason.TABLE)
    assert decide(chosen, Demand(35.0)) == (cloud, Reason.CLOUD)


def test_a_deadline_that_an_idle_fleet_would_miss_is_not_worth_a_retry() -> None:
    assert decide(compiled(candidate("site-a", 5.0)), Demand(14.0)) == Shed(
        ShedReason.DEADLINE_UNREACHABLE, 1, retry_helps=False
    )


def test_a_deadline_that_only_the_load_prevents_is() -> None:
    shed = decide(compiled(candidate("site-a", service_ms=1_000.0, in_flight=15)), Demand(1_500.0))
    assert shed == Shed(ShedReason.OVERLOADED, retry_after_s=3), "4 s expected, 1.5 s wanted"


# Priority


def test_the_classes_are_shed_in_their_order() -> None:
    def outcomes(in_flight: int) -> dict[str, bool]:
        chosen = compiled(candidate("site-a", in_flight=in_flight))
        return {one.name: not isinstance(decide(chosen, Demand(60_000.0, one)), Shed) for one in Priority}

    assert outcomes(3) == {"LOW": True, "NORMAL": True, "HIGH": True}
    assert outcomes(4) == {"LOW": False, "NORMAL": True, "HIGH": True}
    assert outcomes(20) == {"LOW": False, "NORMAL": False, "HIGH": True}
    assert outcomes(70) == {"LOW": False, "NORMAL": False, "HIGH": False}


def test_a_low_class_goes_where_a_slot_is_free() -> None:
    full, far = candidate("site-a", in_flight=4), candidate("site-b", 100.0)
    chosen = compiled(full, far, weights={"site-a": 1.0})
    assert decide(chosen) == (full, Reason.TABLE)
    assert decide(chosen, Demand(60_000.0, Priority.LOW)) == (far, Reason.OVERRIDE)


def test_being_too_full_for_the_class_asks_for_a_retry_in_a_second() -> None:
    shed = decide(compiled(candidate("site-a", in_flight=4)), Demand(60_000.0, Priority.LOW))
    assert shed == Shed(ShedReason.OVERLOADED, retry_after_s=1)


# Nobody


def test_nobody_in_the_residency_is_final() -> None:
    chosen = compiled(candidate("site-a", zones=["fr"]), constraints=Constraints(MODEL, frozenset({"de"})))
    assert decide(chosen) == Shed(ShedReason.RESIDENCY_UNSATISFIABLE, 0, retry_helps=False)


def test_somebody_in_the_residency_who_is_ill_is_not() -> None:
    ill = candidate("site-a", zones=["de"])
    ill.available = False
    chosen = compiled(ill, candidate("site-b", zones=["fr"]), constraints=Constraints(MODEL, frozenset({"de"})))
    assert decide(chosen) == Shed(ShedReason.NO_HEALTHY_CANDIDATE, 1)


# A second try


def test_a_second_try_goes_to_the_soonest_other_one_then_to_the_cloud() -> None:
    first, far, near = candidate("site-a"), candidate("site-b", 9.0), candidate("site-c", 5.0)
    cloud = candidate("cloud", 40.0, tier=Tier.CLOUD)
    assert pick_other(compiled(first, far, near, cloud), PATIENT, first) is near
    assert pick_other(compiled(first, cloud), PATIENT, first) is cloud
    assert pick_other(compiled(first, cloud), Demand(20.0), first) is None
