"""Bad days of a metro, each with what is expected of it. In all of them every invariant is audited as well."""

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.domain.swarm.protocol import Execute
from edgemind.domain.swarm.records import Action, Fence
from edgemind.simulation.swarm_parameters import Delays, Faults, RoundFaults, StoreFaults
from tests.support.swarm_scenes import SwarmScene

A, B, C = "site-00", "site-01", "site-02"
UNREACHABLE = StoreFaults(lost_before=1.0)
FIRST, SECOND, THIRD = Fence(1, 1), Fence(1, 2), Fence(1, 3)
SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_store_out_of_reach_for_a_while_decides_nothing_then_and_in_time_afterwards(seed: int) -> None:
    scene = SwarmScene(5, seed)
    scene.breach(A, 0)
    scene.store_faults(10_000, 25_000, UNREACHABLE)
    scene.breach(B, 11_000)
    scene.breach(C, 15_000)
    scene.breach(A, 30_000)
    scene.play()
    assert scene.outcomes.keys() == {FIRST, SECOND}, "the two breaches between opened no round"
    assert scene.decided_ms(FIRST) < TARGET_MS
    assert 30_000 < scene.decided_ms(SECOND) < 30_100
    assert scene.knows(SECOND) == set(scene.sites)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_store_that_comes_back_amid_a_round_ends_it(seed: int) -> None:
    scene = SwarmScene(5, seed)
    scene.breach(A, 0)
    scene.store_faults(2, 800, UNREACHABLE)
    scene.play()
    assert scene.outcomes.keys() == {FIRST}
    assert 800 < scene.decided_ms(FIRST) < 1300


@pytest.mark.parametrize("seed", SEEDS)
def test_a_throttled_store_is_asked_less_often_and_decides_when_it_can(seed: int) -> None:
    scene = SwarmScene(5, seed)
    scene.breach(A, 0)
    scene.store_faults(0, 500, StoreFaults(throttled=1.0))
    calls: list[int] = []
    scene.at(499, lambda: calls.append(scene.table.usage.calls))
    scene.play()
    assert scene.outcomes.keys() == {FIRST}
    assert 500 < scene.decided_ms(FIRST) < 800
    # Five ballots, five openings, a decision and some reads, nine times each (after 5, 10, 20, 40, 80, 80 ms): hedged
    # as usual they would be 700.
    assert calls[0] < 130


@pytest.mark.parametrize("seed", SEEDS)
def test_at_200_ms_a_call_every_round_is_decided_by_a_quorum_and_late(seed: int) -> None:
    scene = SwarmScene(5, seed, Delays.of_store(200.0))
    scene.breach(A, 0)
    scene.breach(B, 30_000)
    scene.play()
    assert scene.outcomes.keys() == {FIRST, SECOND}
    assert not any(outcome.timed_out for outcome in scene.outcomes.values())
    assert 500 < scene.decided_ms(FIRST) < 2500, "three calls, one after another"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_store_that_is_suddenly_slow_is_followed_and_forgotten(seed: int) -> None:
    """150 ms a call, where members are used to 5 and give calls up after 200."""
    scene = SwarmScene(5, seed)
    scene.store_takes(5_000, 30_000, 150.0)
    for number, site in enumerate((A, B, C, A, B, C, A, B)):
        scene.breach(site, 10_000.0 * number)
    scene.play()
    late = [Fence(1, number) for number in (2, 3)]
    assert scene.outcomes.keys() == {Fence(1, number) for number in range(1, 9)}
    assert all(scene.decided_ms(fence) % 10_000 > 100 for fence in late)
    assert scene.decided_ms(Fence(1, 8)) < 70_100


@pytest.mark.parametrize("seed", SEEDS)
def test_clocks_ten_seconds_apart_change_nothing(seed: int) -> None:
    scene = SwarmScene(5, seed, faults=Faults("clocks", rounds=RoundFaults(clock_offset_ms=10_000.0)))
    scene.breach(A, 20_000)
    scene.play()
    assert 20_000 < scene.decided_ms(FIRST) < 20_100
    assert scene.knows(FIRST) == set(scene.sites)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("apart_ms", [0.0, 1.0, 5.0, 20.0])
def test_of_two_orchestrators_at_once_one_opens_and_both_know_one_outcome(seed: int, apart_ms: float) -> None:
    scene = SwarmScene(5, seed)
    scene.breach(A, 0)
    scene.breach(B, apart_ms)
    scene.play()
    assert scene.outcomes.keys() == {FIRST}
    assert {each.outcome for each in scene.learned} == {scene.outcomes[FIRST]}
    assert scene.knows(FIRST) == set(scene.sites)
    assert scene.decided_ms(FIRST) < TARGET_MS


@pytest.mark.parametrize("seed", SEEDS)
def test_all_sites_breach_at_once(seed: int) -> None:
    scene = SwarmScene(10, seed)
    for site in scene.sites:
        scene.breach(site, 0)
    scene.play()
    assert scene.outcomes.keys() == {FIRST}
    assert scene.knows(FIRST) == set(scene.sites)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("asleep_ms", [0.0, 10.0, 20.0, 30.0])
def test_a_site_back_from_the_dead_with_old_state_changes_nothing_and_is_useful_at_once(
    seed: int, asleep_ms: float
) -> None:
    """It sleeps through two rounds, wherever in the first one it was; its next breach is decided as any other."""
    scene = SwarmScene(5, seed)
    scene.pause(A, asleep_ms, 25_000)
    scene.breach(A if asleep_ms else B, 1)
    scene.breach(B, 10_000)
    scene.breach(C, 20_000)
    scene.breach(A, 30_000)
    scene.play()
    assert scene.outcomes.keys() == {Fence(1, number) for number in (1, 2, 3, 4)}
    assert 30_000 < scene.decided_ms(Fence(1, 4)) < 30_100
    assert A in scene.knows(Fence(1, 4))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_claimant_that_resumes_after_the_next_round_is_refused_by_the_resource(seed: int) -> None:
    """It stopped between its claim and the effect. The next round gave the same site something newer to do."""
    scene = SwarmScene(2, seed)
    scene.breach(A, 0, up=False)
    scene.strike(B, Execute, 0, pause=True)
    old = scene.process(B)
    scene.at(5_000, scene.start_anew, B)
    scene.breach(A, 10_000, up=False)
    scene.at(20_000, old.resume)
    scene.play()
    assert [outcome.candidate.action for outcome in scene.outcomes.values()] == [Action.FAIL_OVER] * 2
    assert {outcome.candidate.site for outcome in scene.outcomes.values()} == {B}
    assert [(each.fence, each.taken) for each in scene.effects] == [(SECOND, True), (FIRST, False)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_claimant_and_its_successor_do_it_once(seed: int) -> None:
    scene = SwarmScene(2, seed)
    scene.breach(A, 0, up=False)
    scene.strike(B, Execute, 0, pause=True)
    old = scene.process(B)
    scene.at(5_000, scene.start_anew, B)
    scene.at(6_000, old.resume)
    scene.play()
    assert [(each.fence, each.taken) for each in scene.effects] == [(FIRST, True)], "the successor found it claimed"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_that_rewinds_goes_on_in_the_next_epoch(seed: int) -> None:
    """What the old table decided stays done; a round of an old number is a new round."""
    scene = SwarmScene(5, seed)
    for number, site in enumerate((A, B, C)):
        scene.breach(site, 10_000.0 * number)
    scene.at(25_000, lambda: scene.table.restore(MemorySwarmStore("simulated"), 2))
    scene.breach(A, 30_000)
    scene.play()
    assert list(scene.outcomes) == [FIRST, SECOND, THIRD, Fence(2, 2)]
    assert scene.decided_ms(Fence(2, 2)) < 30_150
    assert scene.knows(Fence(2, 2)) == set(scene.sites)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sites", [1, 2, 3, 4, 6])
def test_rosters_of_one_of_two_and_of_even_numbers_decide(sites: int, seed: int) -> None:
    scene = SwarmScene(sites, seed)
    scene.breach(A, 0)
    scene.play()
    assert not scene.outcomes[FIRST].timed_out
    assert scene.decided_ms(FIRST) < TARGET_MS
    assert scene.knows(FIRST) == set(scene.sites)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sites", [2, 4])
def test_half_of_an_even_roster_is_no_quorum_and_the_round_ends_all_the_same(sites: int, seed: int) -> None:
    scene = SwarmScene(sites, seed)
    for site in scene.sites[sites // 2 :]:
        scene.pause(site, 0, 20_000)
    scene.breach(A, 1)
    scene.play()
    assert scene.outcomes[FIRST].timed_out
    assert 90 < scene.decided_ms(FIRST) < 150
    assert scene.knows(FIRST) == set(scene.sites), "those who slept hear of it when they are back"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("when_ms", [2.0, 8.0, 14.0, 20.0])
@pytest.mark.parametrize("leaver", [A, B])
def test_a_member_removed_amid_a_round_counts_in_it_and_not_in_the_next(seed: int, when_ms: float, leaver: str) -> None:
    """Whoever it is: the opener itself, too."""
    scene = SwarmScene(5, seed)
    scene.breach(A, 0)
    scene.membership(when_ms, *(site for site in scene.sites if site != leaver))
    scene.breach(C, 10_000)
    scene.play()
    rounds = scene.table.audit.rounds
    assert rounds.keys() == {FIRST, SECOND} == scene.outcomes.keys()
    assert leaver in rounds[FIRST].round.roster
    assert leaver not in rounds[SECOND].round.roster
    assert (rounds[FIRST].round.quorum, rounds[SECOND].round.quorum) == (3, 3)
