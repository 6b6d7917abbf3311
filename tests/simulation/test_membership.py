"""Who is held to be up: every site knows of a fault in time, nobody healthy is blamed, and the command says so."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgemind.entrypoints.simulate_command import simulate
from edgemind.simulation.membership_study import (
    BROKEN_MS,
    FaultTally,
    LossTally,
    SizeTally,
    break_one,
    lose_messages,
)
from edgemind.simulation.membership_world import Fault, MembershipDelays

DELAYS = MembershipDelays()


def broken(sites: int, seeds: int, fault: Fault) -> FaultTally:
    tally = FaultTally()
    for seed in range(seeds):
        break_one(sites, seed, DELAYS, fault, tally)
    return tally


def hold(tally: FaultTally, within_ms: float) -> None:
    assert (tally.missed, tally.lasting, tally.bystanders) == (0, 0, 0)
    assert max(tally.everywhere_ms) <= within_ms
    assert max(tally.back_ms) <= 300
    assert len(tally.everywhere_ms) == len(tally.back_ms) == tally.seeds


@pytest.mark.parametrize("fault", Fault)
def test_everybody_knows_of_a_fault_and_of_its_end(fault: Fault) -> None:
    hold(broken(5, 1, fault), 300 if fault is Fault.DIES else 1100)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(("sites", "seeds"), [(3, 20), (14, 10), (50, 3)])
def test_in_metros_of_every_size(sites: int, seeds: int, fault: Fault) -> None:
    """Beyond eleven sites most have heard of the fault from others only."""
    hold(broken(sites, seeds, fault), 400 if fault is Fault.DIES else 1200)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("sites", [3, 20])
def test_who_is_suspected_wrongly_is_cleared(sites: int) -> None:
    tally = LossTally()
    for seed in range(3):
        lose_messages(sites, seed, MembershipDelays(lost=0.02), tally)
    summary = tally.summary()
    assert summary["episodes_per_site_hour"] > 0
    assert summary["suspected_ratio"] < 0.02
    assert summary["refuted_ms"]["p99"] < 1500


def test_equal_seeds_give_equal_numbers_and_others_do_not() -> None:
    one, again = (broken(3, 1, Fault.CUT_OFF) for _ in range(2))
    assert one == again
    other = FaultTally()
    break_one(3, 7, DELAYS, Fault.CUT_OFF, other)
    assert other.detected_ms != one.detected_ms


def test_the_command_reports_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgemind.simulation.membership_study.LOSSY_MS", 1000.0)
    file = tmp_path / "report.json"
    result = CliRunner().invoke(simulate, ["--membership", "--sites", "2", "--seeds", "1", "--report", str(file)])
    assert result.exit_code == 0, result.output
    document = json.loads(file.read_text())
    assert document["simulated"] is True
    assert document["delays"]["timeout_ms"] == 500
    assert document["durations_ms"]["broken"] == BROKEN_MS
    assert document["seeds"] == {"first": 0, "count": 1}
    faults = document["sites"]["2"]["faults"]
    assert set(faults) == {fault.value for fault in Fault}
    assert set(document["sites"]["2"]["lost"]) == {"0.001", "0.01", "0.05"}
    assert faults["dies"]["missed"] == 0
    shown = [line.split() for line in result.stdout.splitlines() if line.startswith("2 ")]
    assert len(shown) == len(Fault) + len(SizeTally().lost)
    assert shown[0][:2] == ["2", "dies"]
    assert shown[0][2] == f"{faults['dies']['detected_ms']['p50']:.3g}"


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--membership", "--swarm"], "choose one"),
        (["--membership", "--faults", "all"], "--faults: not with --membership; leave it out"),
        (["--membership", "--policy", "hybrid"], "--policy: not with --membership; leave it out"),
        (["--membership", "--sites", "1"], "a simulated membership has 2 to 100 sites"),
        (["--first-seed", "3"], "--first-seed: only with --swarm or --membership; leave it out"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(flags: list[str], complaint: str) -> None:
    result = CliRunner().invoke(simulate, flags)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert "seeds" not in result.stdout
