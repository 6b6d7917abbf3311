"""`edgemind simulate --swarm`: its table, its JSON, its complaints, and the line that shows a violation again."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.swarm_store.rules import CONDITIONS
from edgemind.entrypoints.simulate_command import simulate
from tests.support.swarm_mutants import without


def invoke(*flags: str) -> Result:
    return CliRunner().invoke(simulate, ["--swarm", *flags])


def test_one_line_per_size_below_what_was_simulated() -> None:
    result = invoke("--sites", "3,5", "--seeds", "2")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Simulated: 2 seeds, 10 rounds each; no faults.")
    assert "A store call takes 5 ms (+-2; 1 % take an exponential 20 ms more), a hop 4 ms (+-2)." in result.stdout
    rows = [line.split() for line in result.stdout.splitlines()[-5:-3]]
    assert [row[:2] for row in rows] == [["3", "20"], ["5", "20"]]
    assert result.stdout.splitlines()[-1] == "KPIs, 5 sites: swarm_coordination_ms ok, consensus_success_ratio ok"
    assert "3 sites: 0 of 20 rounds" in result.stderr


def test_the_report_has_everything_that_a_gate_needs(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    flags = ("--sites", "3,10", "--seeds", "3", "--faults", "all", "--store-ms", "10", "--report", str(file))
    result = invoke(*flags, "-o", "json")
    assert result.exit_code == 0, result.output
    document = json.loads(file.read_text())
    assert document == json.loads(result.stdout)
    assert document["simulated"] is True
    assert document["delays"]["store_ms"] == 10
    assert document["delays"]["timeout_ms"] == 400
    assert document["faults"]["store"]["lost_after"] == 0.1
    assert document["violations"] == []
    assert list(document["sites"]) == ["3", "10"]
    summary = document["sites"]["3"]
    needed = {"rounds", "decided_ms", "success", "timed_out", "violations", "store_calls", "write_units"}
    assert needed <= summary.keys()
    assert summary["rounds"] == 30
    assert summary["decided_ms"].keys() == {"p50", "p99"}
    assert 0 <= summary["success"] <= 1


def test_a_violation_ends_in_failure_and_its_line_shows_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = without("OpenRound round")
    monkeypatch.setattr("edgemind.simulation.swarm_world.SwarmWorld.__init__.__defaults__", (broken,))
    assert broken != CONDITIONS
    result = invoke("--sites", "3", "--seeds", "20", "--faults", "all")
    assert result.exit_code == 1
    assert re.search(r"Error: \d+ violations; each is listed with the line that shows it again", result.stderr)
    line = re.search(r"^  edgemind simulate (--swarm .+)$", result.stdout, re.MULTILINE)
    assert line is not None
    again = CliRunner().invoke(simulate, line[1].split())
    assert again.exit_code == 1
    shown = [text for text in result.stdout.splitlines() if text.startswith("VIOLATION")]
    assert shown[0] in again.stdout


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--sites", "2"], "a simulated swarm has 3 to 100 sites"),
        (["--sites", "3,101"], "a simulated swarm has 3 to 100 sites"),
        (["--sites", "3,many"], "'3,many' is no number of sites"),
        (["--sites", "0"], "a fleet has 1 to 200 sites"),
        (["--seeds", "0"], "--seeds"),
        (["--first-seed", "-1"], "--first-seed"),
        (["--faults", "some"], "some"),
        (["--store-ms", "0"], "--store-ms"),
        (["--store-ms", "nan"], "it must be a number of milliseconds"),
        (["--policy", "hybrid", "--staleness-ms", "5"], "--policy, --staleness-ms: not with --swarm; leave it out"),
        (["--report", "no/such/folder/r.json"], "the folder no/such/folder does not exist"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(flags: list[str], complaint: str) -> None:
    result = invoke(*flags)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert "rounds" not in result.stderr


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--faults", "all", "--store-ms", "10"], "--faults, --store-ms: only with --swarm; leave it out"),
        (["--first-seed", "1"], "--first-seed: only with --swarm"),
        (["--sites", "3,10"], "several are for --swarm"),
    ],
)
def test_flags_of_the_swarm_are_refused_without_it(flags: list[str], complaint: str) -> None:
    result = CliRunner().invoke(simulate, flags)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
