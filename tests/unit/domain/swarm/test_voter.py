"""The default voter and the proposals it ranks."""

from itertools import permutations

import pytest

from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.records import KEEP, Action, Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, pressure, rank
from edgemind.errors import ConfigurationError

LOADS = {
    "a": SiteLoad(8, 16.0, replicas=2, max_replicas=4),
    "b": SiteLoad(8, 2.0, max_replicas=4),
    "c": SiteLoad(8, 7.0),
    "d": SiteLoad(8, 8.0),
}
POLICY = VotingPolicy()


def test_a_breach_is_answered_by_shifts_to_the_roomiest_more_replicas_or_nothing() -> None:
    ids = [candidate.id for candidate in propose(LOADS, "a", "llm")]
    assert ids == [
        "keep",
        "scale_out:a:llm:3",
        "scale_out:b:llm:2",
        "shift:b:a:llm:100",
        "shift:b:a:llm:50",
        "shift:c:a:llm:100",
        "shift:c:a:llm:50",
        "shift:d:a:llm:100",
        "shift:d:a:llm:50",
    ]


def test_a_site_that_is_down_is_taken_over_and_never_asked_to_help() -> None:
    down = {**LOADS, "a": SiteLoad(8, 4.0, up=False)}
    found = propose(down, "a", "llm")
    assert {candidate.site for candidate in found if candidate.action is Action.FAIL_OVER} == {"b", "c", "d"}
    assert not any(candidate.site == "a" or candidate.action is Action.SHIFT for candidate in found)
    assert all(candidate.site != "a" for candidate in propose(down, "c", "llm"))


def seen(*demand: float) -> float:
    """Requests per slot that an average request finds, with 8 slots everywhere."""
    return sum(at * at / 8 for at in demand) / sum(demand)


def test_no_site_is_asked_for_more_replicas_than_it_can_have() -> None:
    def scaled(**changed: SiteLoad) -> list[str]:
        return [one.id for one in propose({**LOADS, **changed}, "a", "llm") if one.action is Action.SCALE_OUT]

    assert scaled(a=SiteLoad(8, 16.0, replicas=4, max_replicas=4)) == ["scale_out:b:llm:2"]
    # The roomiest that can be scaled, if the roomiest of all cannot.
    assert scaled(b=SiteLoad(8, 2.0), d=SiteLoad(8, 8.0, max_replicas=2)) == ["scale_out:a:llm:3", "scale_out:d:llm:2"]
    assert scaled(a=SiteLoad(8, 16.0), b=SiteLoad(8, 2.0)) == []


def test_a_site_alone_can_only_scale_or_keep() -> None:
    assert [candidate.action for candidate in propose({"a": LOADS["a"]}, "a", "llm")] == [Action.KEEP, Action.SCALE_OUT]


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (KEEP, seen(16, 2, 7, 8)),
        (Candidate(Action.SHIFT, "b", 100, of="a"), seen(8, 10, 7, 8)),
        (Candidate(Action.SHIFT, "c", 100, of="a"), seen(8, 2, 15, 8)),
        (Candidate(Action.SHIFT, "b", 50, of="a"), seen(12, 6, 7, 8)),
        (Candidate(Action.SCALE_OUT, "a", 4, model="llm"), (16 * 1 + 2 * 2 / 8 + 7 * 7 / 8 + 8 * 1) / 33),
        (Candidate(Action.FAIL_OVER, "b", of="a"), seen(0, 18, 7, 8)),
        (Candidate(Action.DRAIN, "a"), seen(0, 2 + 16 / 3, 7 + 16 / 3, 8 + 16 / 3)),
        (Candidate(Action.SHIFT, "x", 100, of="a"), float("inf")),
        (Candidate(Action.SHIFT, "b", 100, of="x"), float("inf")),
        (Candidate(Action.DRAIN, "x"), float("inf")),
    ],
    ids=lambda value: value.id if isinstance(value, Candidate) else "",
)
def test_pressure_is_what_an_average_request_finds_afterwards(candidate: Candidate, expected: float) -> None:
    assert pressure(candidate, LOADS) == pytest.approx(expected)


def test_demand_without_slots_presses_without_bound() -> None:
    assert pressure(KEEP, {"a": SiteLoad(8, 1.0, up=False)}) == float("inf")
    assert pressure(KEEP, {"a": SiteLoad(8, 0.0, up=False)}) == 0.0
    assert pressure(Candidate(Action.DRAIN, "a"), {"a": SiteLoad(8, 1.0)}) == float("inf")


def test_the_change_that_relieves_most_comes_first_and_five_are_named() -> None:
    ranking = rank(propose(LOADS, "a", "llm"), LOADS, POLICY, since_change_ms=None)
    assert ranking[:2] == ("shift:b:a:llm:100", "scale_out:a:llm:3")
    assert len(ranking) == 5


@pytest.mark.parametrize(("since_ms", "keeps"), [(None, False), (0.0, True), (4999.0, True), (5000.0, False)])
def test_within_the_cooldown_keep_comes_first(since_ms: float | None, keeps: bool) -> None:
    ranking = rank(propose(LOADS, "a", "llm"), LOADS, POLICY, since_ms)
    assert (ranking[0] == KEEP.id) is keeps
    assert "shift:b:a:llm:100" in ranking[:2]


def test_where_all_are_busy_alike_more_capacity_beats_nothing() -> None:
    busy = {name: SiteLoad(3, 5.0, max_replicas=2) for name in ("a", "b", "c")}
    assert rank(propose(busy, "a", "llm"), busy, POLICY, None)[0] == "scale_out:a:llm:2"


def test_a_change_must_take_away_enough() -> None:
    slight = {"a": SiteLoad(10, 10.5), "b": SiteLoad(10, 8.0)}
    candidates = (Candidate(Action.SHIFT, "b", 100, of="a"), KEEP)
    assert rank(candidates, slight, POLICY, None)[0] == KEEP.id
    assert rank(candidates, slight, VotingPolicy(hysteresis_ratio=0.005), None)[0] == candidates[0].id


def test_the_order_of_candidates_and_sites_is_nothing_to_the_voter() -> None:
    candidates = propose(LOADS, "a", "llm")
    turned = dict(reversed(LOADS.items()))
    assert rank(candidates, LOADS, POLICY, None) == rank(tuple(reversed(candidates)), turned, POLICY, None)


def test_pressure_is_the_same_number_in_whatever_order_sites_are_told() -> None:
    """A replay is bit for bit, and a near tie must not be broken by the order of a mapping."""
    demands = (0.1, 0.2, 0.3, 1e6, 7.7)
    loads = {name: SiteLoad(3, demand) for name, demand in zip("abcde", demands, strict=True)}
    told = {pressure(KEEP, dict(order)) for order in permutations(loads.items())}
    assert len(told) == 1


def test_a_policy_out_of_bounds_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="hysteresis_ratio is 2"):
        VotingPolicy(hysteresis_ratio=2)
