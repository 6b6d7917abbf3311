"""The count: what wins, what a quorum is, and when further ballots cannot matter."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.swarm.ballots import admissible, quorum, ranking_length, settled, tally, winner
from edgemind.domain.swarm.records import KEEP, Action, Ballot, Candidate, Fence
from tests.unit.domain.swarm.builders import CANDIDATES, SCALE, SHIFT, TAKE_OVER, ballot, open_round

MANY = tuple(Candidate(Action.DRAIN, f"site-{number}") for number in range(7))


def cast(*orders: tuple[Candidate, ...]) -> list[Ballot]:
    return [
        Ballot(Fence(1, 1), f"site-{place}", tuple(candidate.id for candidate in order))
        for place, order in enumerate(orders)
    ]


@pytest.mark.parametrize(("sites", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (10, 6), (50, 26)])
def test_a_quorum_is_more_than_half(sites: int, needed: int) -> None:
    assert quorum(sites) == needed


def test_first_to_fifth_place_get_five_to_one() -> None:
    assert list(tally(MANY, cast(MANY[:5])).values()) == [5, 4, 3, 2, 1, 0, 0]


def test_of_equals_the_lowest_id_wins_in_every_order_of_ballots_and_candidates() -> None:
    ballots = cast((SHIFT, SCALE, KEEP, TAKE_OVER), (SCALE, SHIFT, TAKE_OVER, KEEP))
    assert SCALE.id < SHIFT.id
    for order, count in product(permutations(CANDIDATES), permutations(ballots)):
        assert winner(order, count) == SCALE


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"of": "1.2"}, False),
        ({"of": "2.1"}, False),
        ({"site": "stranger"}, False),
    ],
)
def test_only_ballots_of_this_round_and_roster_count(changed: dict[str, str], counts: bool) -> None:
    assert admissible(ballot(**{"site": "a", **changed}), open_round()) is counts


@pytest.mark.parametrize(
    "ranking",
    [
        (),
        (SHIFT.id,),
        (SHIFT.id, SHIFT.id, SCALE.id, KEEP.id),
        (SHIFT.id, TAKE_OVER.id, SCALE.id, "drain:x::0"),
        (SHIFT.id, TAKE_OVER.id, SCALE.id, KEEP.id, "drain:x::0"),
    ],
)
def test_ballots_that_are_no_full_ranking_do_not_count(ranking: tuple[str, ...]) -> None:
    assert not admissible(Ballot(Fence(1, 1), "a", ranking), open_round())


@st.composite
def elections(draw: st.DrawFn) -> tuple[tuple[Candidate, ...], list[Ballot], int]:
    candidates = MANY[: draw(st.integers(1, 7))]
    orders = st.permutations(candidates).map(lambda order: tuple(order)[: ranking_length(len(candidates))])
    ballots = cast(*draw(st.lists(orders, min_size=1, max_size=9)))
    return candidates, ballots, draw(st.integers(0, len(ballots) - 1))


@given(elections())
def test_settled_means_that_no_further_ballot_changes_the_winner(
    election: tuple[tuple[Candidate, ...], list[Ballot], int],
) -> None:
    candidates, ballots, counted = election
    seen = ballots[: counted + 1]
    if settled(candidates, seen, len(ballots) - len(seen)):
        assert winner(candidates, seen) == winner(candidates, ballots)


@given(elections())
def test_raising_the_winner_on_a_ballot_keeps_it_the_winner(
    election: tuple[tuple[Candidate, ...], list[Ballot], int],
) -> None:
    candidates, ballots, place = election
    won = winner(candidates, ballots)
    rest = [each for each in ballots[place].ranking if each != won.id]
    raised = (won.id, *rest)[: ranking_length(len(candidates))]
    ballots[place] = Ballot(ballots[place].fence, ballots[place].site, raised)
    assert winner(candidates, ballots) == won


def test_two_thirds_of_fifty_who_agree_need_not_wait_for_the_others() -> None:
    agree = cast(*[(SHIFT, SCALE, TAKE_OVER, KEEP)] * 50)
    assert [settled(CANDIDATES, agree[:count], 50 - count) for count in (30, 37, 38, 50)] == [False, False, True, True]
