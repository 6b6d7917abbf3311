"""Many decisions between two reports: what was sent since has to count, or everybody goes to the same site."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.picker import Shed, pick
from edgemind.domain.routing.policies import POLICIES
from tests.unit.domain.routing.builders import PATIENT, candidate, compiled


def burst(places: list[Candidate], requests: int, policy: str = "hybrid") -> Counter[str]:
    """Where `requests` at once go while no report and no answer comes."""
    chosen = compiled(*places, weights={"site-a": 1.0})
    went: Counter[str] = Counter()
    for _ in range(requests):
        result = pick(chosen, PATIENT, POLICIES[policy], 0.5, margin_ms=2.0, session_margin_ms=2.0)
        assert not isinstance(result, Shed)
        result[0].sent()
        went[result[0].site.name] += 1
    return went


def busy_ingress_with_idle_neighbours() -> list[Candidate]:
    neighbours = [candidate(f"site-{name}", rtt_ms) for name, rtt_ms in zip("bcd", (5.0, 5.5, 6.0), strict=True)]
    return [candidate("site-a", in_flight=12), *neighbours]


def test_a_burst_spreads_over_all_neighbours_that_look_idle() -> None:
    went = burst(busy_ingress_with_idle_neighbours(), 12)
    assert went == {"site-b": 4, "site-c": 4, "site-d": 4}


def test_and_would_all_meet_at_one_if_what_was_sent_did_not_count(monkeypatch) -> None:
    """The reason for own-sent compensation: the same burst through candidates that forget what they were sent."""
    monkeypatch.setattr(Candidate, "sent", lambda self: None)
    assert burst(busy_ingress_with_idle_neighbours(), 12) == {"site-b": 12}


@given(st.sampled_from(sorted(POLICIES)), st.integers(2, 6), st.integers(1, 8))
def test_equal_places_share_a_burst_evenly(policy: str, places: int, slots: int) -> None:
    fleet = [candidate(f"site-{name}", slots=slots) for name in "abcdef"[:places]]
    went = burst(fleet, places * slots * 2, policy)
    assert max(went.values()) - min(went.values()) <= slots
