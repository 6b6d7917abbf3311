"""`edgemind simulate`: its table, its JSON, its complaints."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgemind.entrypoints.simulate_command import simulate
from edgemind.simulation.policies import CHOOSERS
from tests.simulation.test_routing_parameters import CHECKED_IN


def invoke(*flags: str) -> Result:
    return CliRunner().invoke(simulate, flags)


@pytest.fixture
def short(tmp_path: Path) -> str:
    """A world whose run takes no time worth speaking of."""
    file = tmp_path / "short.toml"
    file.write_text(
        CHECKED_IN.replace("duration_s = 30.0", "duration_s = 1.0").replace("warm_up_s = 2.0", "warm_up_s = 0")
    )
    return str(file)


def test_all_policies_in_one_table_that_says_it_is_simulated(short: str) -> None:
    result = invoke("--policy", "all", "--seeds", "1", "--sites", "3", "--parameters", short)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Simulated: 3 sites, 1 seeds")
    lines = result.stdout.splitlines()
    assert lines[-len(CHOOSERS) - 1].split("  ")[0] == "POLICY"
    assert [line.split()[0] for line in lines[-len(CHOOSERS) :]] == list(CHOOSERS)
    assert "seed 1 of 1: threshold" in result.stderr
    assert "seed" not in lines[-1]


def test_json_on_stdout_equals_the_report(tmp_path: Path, short: str) -> None:
    file = tmp_path / "report.json"
    result = invoke(
        "--policy", "hybrid, oracle", "--seeds", "2", "--sites", "2", "--staleness-ms", "1000", "--parameters", short,
        "--report", str(file), "-o", "json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == json.loads(file.read_text())
    assert document["simulated"] is True
    assert list(document["policies"]) == ["hybrid", "oracle"]
    assert {"p50_ms", "p99_ms", "within_50ms", "flash_within_50ms"} < document["policies"]["hybrid"].keys()
    assert 0 <= document["policies"]["hybrid"]["within_50ms"] <= 1
    world = document["parameters"]
    assert (world["sites"], world["seeds"], world["staleness_ms"]) == (2, 2, 1000.0)
    assert world["load"]["duration_s"] == 1.0


def test_the_same_flags_give_the_same_numbers(short: str) -> None:
    first, again = (invoke("--policy", "peak_ewma", "--sites", "3", "--parameters", short) for _ in range(2))
    assert first.stdout == again.stdout


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--policy", "hybrid,fastest"], "there is no policy fastest; take all, or some of oracle, hybrid"),
        (["--policy", ""], "there is no policy an empty name"),
        (["--policy", "all,hybrid"], "there is no policy all"),
        (["--seeds", "0"], "--seeds"),
        (["--sites", "0"], "--sites"),
        (["--sites", "many"], "--sites"),
        (["--staleness-ms", "-1"], "--staleness-ms"),
        (["--staleness-ms", "nan"], "it must be a number of milliseconds"),
        (["-o", "yaml"], "yaml"),
        (["--parameters", "absent.toml"], "cannot read absent.toml"),
        (["--report", "no/such/folder/r.json"], "the folder no/such/folder does not exist"),
        (["--report", "."], "is a folder; name a file"),
        (["--report", "r" * 300], "File name too long"),
        (["surplus"], "surplus"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(flags: list[str], complaint: str) -> None:
    result = invoke(*flags)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.split())
    assert "seed 1" not in result.stderr


def test_a_report_that_cannot_be_written_does_not_lose_the_result(
    tmp_path: Path, short: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: str, encoding: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    target = tmp_path / "report.json"
    result = invoke("--policy", "table", "--seeds", "1", "--sites", "2", "--parameters", short, "--report", str(target))
    assert result.exit_code == 1
    assert "Simulated: 2 sites" in result.stdout
    assert f"cannot write the report {target}: No space left on device; choose another file" in result.stderr
