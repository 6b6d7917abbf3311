"""What the benchmark of telemetry makes of its samples; the processes are run by the command itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.contenders import contender_at
from benchmarks.goals import telemetry_goals
from benchmarks.peers.base import Bench
from benchmarks.peers.edgemind_telemetry import EVERY_SPAN, OFF, telemetry_peers
from benchmarks.rounds import Record, RoundSample
from benchmarks.telemetry import MEASURES, TelemetryOutcome, rows_of
from benchmarks.telemetry_report import telemetry_table
from edgemind.settings import load_settings


def record(name: str, *cpu_us: float) -> Record:
    made = Record(contender_at(name, 1, None, "key"))
    made.samples = [RoundSample(cpu_us=one, p50_us=100.0) for one in cpu_us]
    made.answered = 10
    return made


ROWS = rows_of([record(OFF, 50.0, 100.0, 60.0), record("hung", 55.0, 90.0, 72.0)], {"hung": 7})
OUTCOME = TelemetryOutcome(ROWS, {"dead": "it printed nothing"}, 0.5)


def test_ratios_are_of_the_same_round() -> None:
    assert ROWS[1].ratio["saturated"] == pytest.approx(1.1)
    assert ROWS[1].value["saturated"] == 72.0
    assert (ROWS[0].ratio["saturated"], ROWS[1].ratio["2000/s"]) == (1.0, None)


def test_the_table_tells_what_was_dropped_who_was_not_measured_and_the_noise() -> None:
    text = telemetry_table(OUTCOME, list(MEASURES))
    assert "dead: not measured: it printed nothing" in text
    assert "50%" in text
    assert text.split("\n")[2].split()[-3:] == ["10", "7", "0"]


def test_only_what_is_promised_is_a_goal() -> None:
    every = rows_of([record(OFF, 50.0), record(EVERY_SPAN, 100.0), record("hung", 55.0)], {})
    goals = telemetry_goals(TelemetryOutcome(every, {}, 0.0))
    assert {goal.about.split(", ")[1] for goal in goals} == {"hung"}
    assert goals[0].line().endswith("1.1, met")


def test_each_gateway_is_configured_as_its_name_says(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for peer in telemetry_peers("http://127.0.0.1:1/v1/traces", "http://127.0.0.1:2/x", "http://127.0.0.1:3/x"):
        folder = tmp_path / peer.name
        folder.mkdir()
        peer.prepare(Bench(folder, 20_000, [1, 2, 3], tmp_path))
        settings = load_settings(folder / "edgemind.yaml").telemetry
        found[peer.name] = settings.exporter.value, settings.sample_ratio, settings.endpoint[-3:]
        assert json.loads((folder / "edgemind.yaml").read_text())["auth"] == "keys"
    assert found[OFF][0] == "none"
    assert found["otlp-1%"] == ("otlp", 0.01, "ces")
    assert {found[name][1] for name in (EVERY_SPAN, "dead", "hung")} == {1.0}
