"""The swarm's rounds under faults: what must never happen, how quick it is, and that each condition is needed."""

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.rules import CONDITIONS, Conditions
from edgemind.domain.kpi import Level
from edgemind.domain.swarm.writes import Genesis
from edgemind.simulation.swarm_parameters import FAULT_SETS, Delays, Faults, RoundFaults, StoreFaults, fault_set
from edgemind.simulation.swarm_study import Study, study
from edgemind.simulation.swarm_world import SwarmWorld
from tests.support.swarm_mutants import NAMES, STORM, STORMY, without

IMPLIED = {"OpenRound decided", "Claim decided", "Genesis absent"}
"""Conditions that correct members never run into: they open, claim and provision only what they know to be over. They
hold against incorrect ones, so the checks of the contract suite show them, and the simulator cannot."""
ROSTER = {"ChangeRoster version"}
"""Rounds change no roster: tests/simulation/test_roster_changes.py takes this one away."""
STORM_SEEDS = 40


def storm(seed: int, conditions: Conditions = CONDITIONS, sites: int = 5) -> list[str]:
    world = SwarmWorld(sites, seed, STORMY, STORM, conditions)
    world.run()
    return world.table.audit.violations


def run(sites: int, seeds: int, faults: str, store_ms: float = 5.0) -> Study:
    return study([sites], range(seeds), Delays.of_store(store_ms), fault_set(faults), lambda _: None)


@pytest.mark.mutants
@pytest.mark.parametrize("name", [name for name in NAMES if name not in IMPLIED | ROSTER])
def test_a_store_without_a_condition_breaks_an_invariant_in_the_storm(name: str) -> None:
    assert any(storm(seed, without(name)) for seed in range(STORM_SEEDS))


def test_in_the_storm_itself_nothing_breaks() -> None:
    assert [violation for seed in range(STORM_SEEDS) for violation in storm(seed)] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("sites", [3, 4, 10])
def test_in_a_long_storm_nothing_breaks(sites: int) -> None:
    assert [(seed, violation) for seed in range(400) for violation in storm(seed, sites=sites)] == []


@pytest.mark.parametrize(("sites", "seeds"), [(3, 60), (10, 40), (50, 8)])
def test_without_faults_a_round_takes_three_store_calls_and_45_ms(sites: int, seeds: int) -> None:
    summary = run(sites, seeds, "none").tallies[sites].summary()
    assert summary["success"] == 1.0
    assert summary["decided_ms"]["p99"] <= 45
    assert summary["sequential_calls"]["p50"] == 3
    assert summary["write_units"] <= 70
    assert set(summary["kpis"].values()) == {Level.OK}
    assert summary["violations"] == 0


@pytest.mark.parametrize(("sites", "seeds"), [(3, 60), (10, 40), (50, 8)])
@pytest.mark.parametrize("faults", FAULT_SETS[1:])
def test_under_faults_rounds_are_decided_and_nothing_breaks(sites: int, seeds: int, faults: str) -> None:
    found = run(sites, seeds, faults)
    assert found.violations == []
    assert found.tallies[sites].summary()["success"] >= 0.985


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("sites", "seeds"), [(3, 1000), (10, 500), (50, 100)])
def test_under_losses_999_of_1000_rounds_are_decided_in_100_ms(sites: int, seeds: int) -> None:
    found = run(sites, seeds, "losses")
    summary = found.tallies[sites].summary()
    assert found.violations == []
    assert summary["success"] >= 0.999
    assert summary["decided_ms"]["p99"] <= 95
    assert summary["kpis"]["consensus_success_ratio"] is Level.OK


@pytest.mark.parametrize("store_ms", [1.0, 20.0, 50.0])
def test_faster_and_slower_stores_decide_every_round(store_ms: float) -> None:
    summary = run(10, 5, "none", store_ms).tallies[10].summary()
    assert (summary["timed_out"], summary["undecided"], summary["violations"]) == (0, 0, 0)


@pytest.mark.parametrize("sites", [1, 2, 4])
def test_rosters_of_one_two_and_even_numbers_decide_every_round(sites: int) -> None:
    summary = run(sites, 10, "none").tallies[sites].summary()
    assert (summary["success"], summary["violations"]) == (1.0, 0)
    assert [violation for seed in range(10) for violation in storm(seed, sites=sites)] == []


def test_a_member_removed_amid_every_round_changes_nothing() -> None:
    world = SwarmWorld(4, 0, Delays(), Faults("leaving", rounds=RoundFaults(roster_changed=1.0)))
    world.run()
    assert all(result.decided_ms is not None and not result.timed_out for result in world.results)
    assert world.table.audit.violations == []


def test_a_store_out_of_reach_decides_nothing_and_ends_by_itself() -> None:
    faults = Faults("away", StoreFaults(lost_before=1.0))
    world = SwarmWorld(3, 0, Delays(), faults)
    world.run(2)
    assert [result.decided_ms for result in world.results] == [None, None]
    assert world.table.audit.violations == []


def test_a_throttled_store_is_waited_for() -> None:
    world = SwarmWorld(3, 0, Delays(), Faults("busy", StoreFaults(throttled=0.6)))
    world.run()
    assert all(result.decided_ms is not None for result in world.results)


def test_clocks_apart_change_nothing() -> None:
    """The same draws with clocks in step and 10 s apart: only alarms, a millionth of a millisecond late, may differ."""
    times = []
    for offset_ms in (0.0, 10_000.0):
        world = SwarmWorld(5, 3, Delays(), Faults("clocks", rounds=RoundFaults(clock_offset_ms=offset_ms)))
        world.run()
        times.append([result.decided_ms for result in world.results])
    assert times[0] == pytest.approx(times[1], abs=1e-3)


def test_equal_seeds_give_equal_histories_and_others_do_not() -> None:
    assert run(10, 2, "all").document() == run(10, 2, "all").document()
    delays = Delays()
    one, other = (SwarmWorld(3, seed, delays, fault_set("all")) for seed in (0, 1))
    one.run()
    other.run()
    assert one.results != other.results


def test_a_table_is_provisioned_once() -> None:
    world = SwarmWorld(3, 0, Delays(), fault_set("none"))
    world.table.restore(MemorySwarmStore("simulated"), back=2)
    world.run(1)
    assert world.table.audit.rounds.keys() == {Genesis().fence.next.__class__(2, 1)}
