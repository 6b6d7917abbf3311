"""What the dialogues do not show: hedging limits, rosters of every size, timers that follow a slow store."""

import pytest

from edgemind.domain.swarm.messages import Hint, Wake
from edgemind.domain.swarm.pace import DESIGNED, Pace
from edgemind.domain.swarm.protocol import (
    Answered,
    Applied,
    AskVoter,
    Breached,
    Ended,
    Event,
    Learned,
    Ranked,
    Received,
    Send,
    StoreCall,
    Tick,
    Trouble,
)
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.repetition import COPIES_LIMIT, StoreCalls
from edgemind.domain.swarm.round import DEPUTIES_WOKEN, deputies
from edgemind.domain.swarm.writes import OpenRound
from tests.unit.domain.swarm.builders import CANDIDATES, ROSTER, member, open_round

WRITE = OpenRound(Fence(1, 1), CANDIDATES, ROSTER, 2, "nonce")


def test_a_call_has_so_many_copies_under_way_and_not_one_more() -> None:
    calls = StoreCalls(Pace())
    copies = [calls.start(WRITE, 0.0)]
    now_ms = 0.0
    while (wake_ms := calls.wake_ms) is not None:
        now_ms = wake_ms
        copies += calls.tick(now_ms)
    assert [copy.copy for copy in copies] == list(range(1, COPIES_LIMIT + 1))
    assert now_ms == 12 + 8 * (COPIES_LIMIT - 2)

    assert calls.answered(Answered(copies[0].call, 1, Trouble.UNKNOWN), 200.0) is None
    assert [copy.copy for copy in calls.tick(200.0)] == [COPIES_LIMIT + 1]


def test_throttled_calls_wait_longer_each_time() -> None:
    calls = StoreCalls(Pace())
    call = calls.start(WRITE, 0.0)
    waits, now_ms = [], 0.0
    for copy in range(1, 8):
        assert calls.answered(Answered(call.call, copy, Trouble.THROTTLED), now_ms) is None
        wake_ms = calls.wake_ms
        assert wake_ms is not None
        assert calls.tick(wake_ms - 0.1) == []
        waits.append(wake_ms - now_ms)
        now_ms = wake_ms
        assert len(calls.tick(now_ms)) == 1
    assert waits == [5, 10, 20, 40, 80, 80, 80]


def test_a_concluded_or_forgotten_call_is_sent_no_more_and_says_nothing() -> None:
    calls = StoreCalls(Pace())
    call = calls.start(WRITE, 0.0)
    assert calls.answered(Answered(call.call, 1, Applied()), 5.0) == (WRITE, Applied())
    assert calls.answered(Answered(call.call, 1, Applied()), 6.0) is None
    assert calls.wake_ms is None
    forgotten = calls.start(WRITE, 7.0)
    calls.forget(WRITE)
    assert calls.answered(Answered(forgotten.call, 1, Applied()), 8.0) is None


def test_timers_are_the_designed_ones_at_five_milliseconds_and_faster() -> None:
    assert Pace().timers() == DESIGNED
    assert Pace(store_ms=1.0).timers() == DESIGNED


def test_timers_stretch_with_the_measured_store() -> None:
    pace = Pace()
    for _ in range(100):
        pace.observe_store(20.0)
    timers = pace.timers()
    assert pace.store_ms == pytest.approx(20, rel=0.01)
    assert timers.hedge == pytest.approx(48, rel=0.01)
    assert timers.takeover == pytest.approx(35 * 68 / 23, rel=0.01)
    assert timers.hard > 3 * 20 + 2 * 4
    # Not scaled like the others: what is left of 100 ms is for the decision.
    assert 2 * 20 + 2 * 4 < timers.soft < 100 - 20


def test_a_tail_moves_the_measured_pace_only_so_far() -> None:
    pace = Pace()
    pace.observe_store(10_000.0)
    assert pace.store_ms == pytest.approx(5 + 0.1 * 15)


def test_each_site_has_other_deputies_and_everybody_is_one() -> None:
    assert deputies(ROSTER, "a") == ["b", "c"]
    assert deputies(ROSTER, "b") == ["c", "a"]
    assert deputies(("c", "a", "b"), "c") == ["a", "b"]
    assert deputies(ROSTER, "") == ["a", "b", "c"]


def test_an_opener_wakes_a_few_deputies_that_it_does_not_suspect() -> None:
    roster = tuple("abcdefgh")
    effects = member("b", roster).step(Breached(CANDIDATES), 0.0)
    woken = [effect.to for effect in effects if isinstance(effect, Send) and isinstance(effect.message, Wake)]
    assert woken == ["c", "d", "e", "f"]
    assert len(woken) == DEPUTIES_WOKEN


def test_one_breach_at_a_time_and_none_by_who_left() -> None:
    one = member("a")
    assert one.step(Breached(CANDIDATES), 0.0) != []
    assert one.step(Breached(CANDIDATES), 1.0) == []
    deputy = member("b")
    deputy.step(Received(Wake("a", Fence(1, 1), CANDIDATES, ROSTER)), 0.0)
    assert deputy.step(Breached(CANDIDATES), 1.0) == []
    assert member("x").step(Breached(CANDIDATES), 0.0) == []


def test_who_is_not_on_the_roster_neither_votes_nor_takes_over() -> None:
    stranger = member("x")
    assert stranger.step(Received(Hint("a", open_round())), 0.0) == []
    assert stranger.wake_ms is None


@pytest.mark.parametrize("roster", [("a",), ("a", "b"), tuple("abcd")])
def test_rosters_of_one_two_and_even_numbers_decide(roster: tuple[str, ...]) -> None:
    """Everybody answers at once; see tests/simulation for everything else."""
    members = {site: member(site, roster) for site in roster}
    todo = [("a", effect) for effect in members["a"].step(Breached(CANDIDATES), 0.0)]
    learned = set()
    while todo:
        site, effect = todo.pop(0)
        answer: Event | None = None
        if isinstance(effect, Send):
            site, answer = effect.to, Received(effect.message)
        elif isinstance(effect, StoreCall):
            answer = Answered(effect.call, effect.copy, Applied())
        elif isinstance(effect, AskVoter):
            answer = Ranked(Fence(1, 1), tuple(candidate.id for candidate in CANDIDATES))
        elif isinstance(effect, Learned):
            learned.add(site)
        if answer is not None:
            todo += [(site, each) for each in members[site].step(answer, 1.0)]
    assert learned == set(roster)


def test_a_coordinator_without_a_store_gives_up_and_says_so() -> None:
    alone = member("a")
    alone.step(Breached(CANDIDATES), 0.0)
    effects = alone.step(Tick(), DESIGNED.give_up)
    assert [type(effect) for effect in effects if isinstance(effect, Ended)] == [Ended]
    assert alone.wake_ms is None
