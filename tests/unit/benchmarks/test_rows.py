from collections import Counter

import pytest

from benchmarks.contenders import contender_at
from benchmarks.report import gateway_report, gateway_table, table
from benchmarks.rounds import Record, RoundSample, plan_for
from benchmarks.rows import outcome_of


def record(name: str, *samples: RoundSample, failure: str | None = None) -> Record:
    pid = None if name == "direct" else 1
    return Record(contender_at(name, 1, pid, "key"), list(samples), 100, Counter(), 50.0, failure)


def sample(cpu_us: float, p50_us: float = 300.0, p99_us: float = 900.0) -> RoundSample:
    return RoundSample(cpu_us=cpu_us, sse_cpu_us=10 * cpu_us, p50_us=p50_us, p99_us=p99_us, first_body_us=p50_us)


DIRECT = record(
    "direct",
    RoundSample(p50_us=100.0, p99_us=400.0, first_body_us=90.0),
    RoundSample(p50_us=200.0, p99_us=900.0, first_body_us=190.0),
)


def test_ratios_pair_the_rounds_so_that_a_slow_machine_cancels():
    ours = record("ours", sample(40.0), sample(80.0))
    envoy = record("envoy", sample(50.0), sample(100.0))
    outcome = outcome_of([ours, envoy, DIRECT], {}, 0.0)
    row = outcome.rows[0]
    assert row.name == "ours"
    assert row.cpu_us == 60.0
    assert row.ratio_to_envoy == pytest.approx(0.8)
    assert row.sse_ratio_to_envoy == pytest.approx(0.8)
    assert outcome.rows[1].ratio_to_envoy == 1.0


def test_added_times_are_over_the_direct_median_of_the_same_round():
    row = outcome_of([record("ours", sample(40.0), sample(40.0)), DIRECT], {}, 0.0).rows[0]
    assert row.added_p50_us == pytest.approx(150.0)
    assert row.added_p99_us == pytest.approx(750.0)
    assert row.first_byte_delay_us == pytest.approx(160.0)
    assert row.ratio_to_envoy is None


def test_what_could_not_be_measured_is_shown_with_its_reason():
    outcome = outcome_of([record("dead", failure="round 1: it died"), DIRECT], {"absent": "not installed"}, 0.3)
    text = gateway_table(outcome)
    assert "dead: not measured: round 1: it died" in text
    assert "absent: not measured: not installed" in text
    assert "30%" in text
    assert outcome.rows == ()


def test_the_report_has_the_fields_that_readers_rely_on():
    outcome = outcome_of([record("envoy", sample(50.0)), DIRECT], {}, 0.0)
    report = gateway_report(outcome, {"cores": 2}, "how")
    rows = report["rows"]
    assert isinstance(rows, list)
    promised = {"name", "cpu_us", "ratio_to_envoy", "sse_cpu_us", "added_p50_us", "added_p99_us", "rss_mb"}
    assert promised <= rows[0].keys()
    assert {"machine", "method", "not_measured", "direct"} <= report.keys()


def test_a_table_lines_up():
    assert table(["a", "bb"], [["ccc", "1"]]) == "a    bb\nccc   1"


def test_a_plan_is_never_empty():
    plan = plan_for(100, 5)
    assert min(plan.plain, plan.streams, plan.paced, plan.first_bytes) >= 10
