import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.membership import MembershipRule, PeerMembership, RoundTripEstimate, SiteState

RULE = MembershipRule(stale_ms=1000.0, gone_ms=30_000.0, failures=5, refusals=2)


def peer() -> PeerMembership:
    return PeerMembership(RULE, now_s=0.0)


def test_silence_makes_a_peer_suspected_and_then_gone() -> None:
    member = peer()
    member.answered(10.0)

    assert member.state(10.9) is SiteState.ALIVE
    assert member.state(11.1) is SiteState.SUSPECTED
    assert member.state(40.1) is SiteState.GONE


def test_a_refusal_counts_faster_than_any_other_failure() -> None:
    refused, failing = peer(), peer()
    for _ in range(RULE.refusals):
        refused.failed(refused=True)
        failing.failed(refused=False)

    assert refused.state(0.2) is SiteState.SUSPECTED
    assert failing.state(0.2) is SiteState.ALIVE

    for _ in range(RULE.failures - RULE.refusals):
        failing.failed(refused=False)
    assert failing.state(0.5) is SiteState.SUSPECTED


def test_one_lost_beacon_is_nothing() -> None:
    member = peer()
    for turn in range(20):
        member.failed(refused=True)
        assert member.state(turn * 0.2) is SiteState.ALIVE
        member.answered(turn * 0.2 + 0.1)


@pytest.mark.parametrize("silent_s", [1.5, 60.0])
def test_one_answer_brings_a_peer_back(silent_s: float) -> None:
    member = peer()
    for _ in range(10):
        member.failed(refused=True)
    assert member.state(silent_s) is not SiteState.ALIVE

    member.answered(silent_s)
    assert member.state(silent_s) is SiteState.ALIVE


def test_a_peer_that_was_never_heard_has_as_long_as_one_that_fell_silent() -> None:
    member = PeerMembership(RULE, now_s=100.0)

    assert not member.heard
    assert member.state(100.9) is SiteState.ALIVE
    assert member.state(101.1) is SiteState.SUSPECTED


def test_a_round_trip_falls_at_once_and_rises_slowly() -> None:
    trip = RoundTripEstimate(prior_ms=30.0)
    trip.observe(8.0)
    assert trip.ms == 8.0, "a measurement replaces the declared prior, also upwards"
    trip.observe(2.0)
    assert trip.ms == 2.0
    trip.observe(100.0)
    assert trip.ms == pytest.approx(3.96)
    for _ in range(500):
        trip.observe(20.0)
    assert trip.ms == pytest.approx(20.0, abs=0.1), "a path that became longer is believed in the end"


@given(st.lists(st.floats(min_value=0.1, max_value=1000), min_size=1))
def test_a_round_trip_stays_within_what_was_measured(samples: list[float]) -> None:
    trip = RoundTripEstimate(5.0)
    for sample in samples:
        trip.observe(sample)
    assert min(samples) - 1e-6 <= trip.ms <= max(samples) + 1e-6
