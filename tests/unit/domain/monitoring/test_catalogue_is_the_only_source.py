"""One number of the catalogue is changed in memory, and everything that is made of it moves."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgemind.domain.alerts.rules import RULES
from edgemind.domain.histogram import LATENCY_BOUNDS_MS, Histogram
from edgemind.domain.kpi import BY_NAME, KPIS, Level, Limits, Tier
from edgemind.domain.monitoring import cloudwatch, cloudwatch_dashboards, grafana
from edgemind.domain.monitoring.catalogue import catalogue_tables
from edgemind.domain.monitoring.cloudwatch import CLOUDWATCH
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.metrics import DECIDED, METRICS, Metric
from edgemind.domain.monitoring.promql import PROMQL, gateway_metric
from edgemind.domain.monitoring.rule_tests import SERIES
from edgemind.domain.monitoring.rules import bounds, rules_document
from edgemind.entrypoints.kpi.products import prometheus_files
from edgemind.simulation.swarm_parameters import Delays, fault_set
from edgemind.simulation.swarm_study import study

ROOT = Path(__file__).resolve().parents[4]
TIER = Tier.PRODUCTION
PLACE = cloudwatch_dashboards.Place("m", "eu-central-1", TIER)
ODD = 33.0
"""A limit that nothing has."""


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("added_latency_ms", "swarm_coordination_ms"):
        monkeypatch.setitem(BY_NAME[name].limits, TIER, Limits(ODD, warning=ODD, critical=ODD))


def thresholds(dashboard: dict[str, Any], title: str) -> list[Any]:
    panels = [panel for panel in dashboard["panels"] if panel["title"] == title]
    return [step["value"] for step in panels[0]["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_every_kpi_says_how_each_backend_measures_it_or_why_it_cannot() -> None:
    names = [kpi.name for kpi in KPIS]
    assert list(PROMQL) == names
    assert list(CLOUDWATCH) == names
    assert set(SERIES) == {name for name, query in PROMQL.items() if isinstance(query, str)}


@pytest.mark.usefixtures("changed")
def test_prometheus_rules_and_their_tests() -> None:
    rules = yaml.safe_load(prometheus_files(TIER)["rules-production.yaml"])["groups"][0]["rules"]
    found = [rule["expr"].rpartition(" > ")[2] for rule in rules if rule["alert"] == "added_latency_ms"]
    assert found == ["33", "33"]
    assert "below 33 ms" not in str(rules)
    assert "above 33 ms" in prometheus_files(TIER)["rules-production.test.yaml"]


@pytest.mark.usefixtures("changed")
def test_grafana_thresholds() -> None:
    made = grafana.dashboards(TIER)
    assert thresholds(made["executive"], "Added latency") == [None, ODD, ODD]
    assert thresholds(made["operations"], "Added latency") == [None, ODD, ODD]


@pytest.mark.usefixtures("changed")
def test_cloudwatch_alarms_and_dashboards() -> None:
    found = [(alarm.level, alarm.bound) for alarm in cloudwatch.alarms(TIER) if alarm.name == "added_latency_ms"]
    assert found == [(Level.WARNING, ODD), (Level.CRITICAL, ODD)]
    widgets = cloudwatch_dashboards.dashboards(PLACE)["operations"]["widgets"]
    [latency] = [one["properties"] for one in widgets if one["properties"]["title"] == "Added latency"]
    assert [line["value"] for line in latency["annotations"]["horizontal"]] == [ODD, ODD]


@pytest.mark.usefixtures("changed")
def test_the_levels_of_tiles_the_simulators_verdicts_and_the_docs() -> None:
    assert BY_NAME["added_latency_ms"].level(ODD + 1, TIER) is Level.CRITICAL
    simulated = study([3], range(2), Delays.of_store(5.0), fault_set("none"), lambda _: None).tallies[3].summary()
    assert simulated["decided_ms"]["p99"] > ODD
    assert simulated["kpis"]["swarm_coordination_ms"] is Level.CRITICAL
    assert "33 ms production" in catalogue_tables()


def test_a_limit_is_never_milder_as_critical_than_as_warning() -> None:
    for kpi in KPIS:
        for tier in Tier:
            limits = kpi.limits[tier]
            if limits.warning is not None:
                assert kpi.level(limits.target, tier) is not Level.CRITICAL or limits.critical is None
            if limits.warning is not None and limits.critical is not None:
                assert kpi.level(limits.warning, tier) in (Level.OK, Level.WARNING)


@pytest.mark.parametrize(
    ("kpi", "metric"),
    [("swarm_coordination_ms", DECIDED), ("added_latency_ms", gateway_metric("added_latency_seconds"))],
)
def test_a_quantile_is_on_the_side_of_its_limits_that_its_values_are_on(kpi: str, metric: Metric) -> None:
    """A bucket that held a limit would be read as its upper end: whatever is in it would be beyond the limit."""
    limits = {(tier, bound) for tier in Tier for _, bound in bounds(BY_NAME[kpi], tier)}
    assert {bound for _, bound in limits} <= set(metric.bounds_ms)
    for tier, limit in limits:
        for value in (limit - 0.1, limit, limit + 0.1):
            histogram = Histogram()
            histogram.observe(value)
            assert BY_NAME[kpi].level(histogram.quantile_ms(0.99), tier) is BY_NAME[kpi].level(value, tier)


def test_what_is_scraped_are_buckets_that_are_counted_in() -> None:
    assert {bound for metric in METRICS.values() for bound in metric.bounds_ms} <= set(LATENCY_BOUNDS_MS)


def test_names_of_alerts_are_those_of_kpis_and_states_and_lead_to_runbooks() -> None:
    rules = [
        rule
        for group in yaml.safe_load(prometheus_files(TIER)["rules-production.yaml"])["groups"]
        for rule in group["rules"]
    ]
    known = {one.name: one.runbook for one in KPIS} | {one.name: one.runbook for one in CONDITIONS}
    assert {rule["alert"] for rule in rules} <= known.keys()
    for rule in rules:
        assert rule["annotations"]["runbook"] == f"docs/{known[rule['alert']]}"
        assert known[rule["alert"]] == f"runbooks/{rule['alert'].replace('_', '-')}.md"


def test_every_alert_has_its_runbook_and_knows_the_controllers_own_alerts() -> None:
    runbooks = [(one.name, one.runbook) for one in KPIS] + [(one.name, one.runbook) for one in CONDITIONS]
    for name, runbook in runbooks:
        assert (ROOT / "docs" / runbook).is_file(), runbook
        assert RULES[name].runbook == runbook


def test_alarms_hold_dwell_and_recovery_in_minutes() -> None:
    times = {
        alarm.name: (alarm.datapoints, alarm.periods, alarm.math.period_s // 60) for alarm in cloudwatch.alarms(TIER)
    }
    assert times["site_report_age_ms"] == (1, 1, 1)
    assert times["metro_cache_hit_ratio"] == times["availability_ratio"] == (1, 1, 5)
    assert times["swarm_coordination_ms"] == (1, 5, 1)
    assert times["telemetry_drops"] == (1, 2, 1)


def test_no_alarm_and_no_rule_is_about_a_few_requests() -> None:
    math = {alarm.name: alarm.math for alarm in cloudwatch.alarms(TIER)}
    assert math["availability_ratio"].expression == "IF(requests >= 100, 1 - (failed + shed) / requests, 1)"
    assert math["metro_cache_hit_ratio"].expression == (
        "IF(requests - failed - shed >= 100, 1 - (cloud) / (requests - failed - shed), 1)"
    )
    rules = {rule["alert"]: rule["expr"] for rule in rules_document(TIER)["groups"][0]["rules"]}
    panels = grafana.dashboards(TIER)["executive"]["panels"]
    for kpi in KPIS:
        if kpi.of_requests is not None:
            assert f" >= {kpi.of_requests.least}, " in math[kpi.name].expression
            assert sum(panel.get("description") == kpi.about for panel in panels) >= 1
            assert f"fewer than {kpi.of_requests.least} in 5 min" in kpi.about
            assert kpi.about in catalogue_tables()
            assert rules[kpi.name].endswith(f" >= {kpi.of_requests.least}")
            assert set(re.findall(r"\b[a-z]+", math[kpi.name].expression)) == math[kpi.name].metrics.keys()


def test_an_age_that_is_looked_at_once_a_minute_is_too_old_for_its_dwell() -> None:
    [alarm] = [alarm for alarm in cloudwatch.alarms(TIER) if alarm.name == "site_report_age_ms"]
    [(_, limit)] = bounds(BY_NAME[alarm.name], TIER)
    assert alarm.bound == limit + 1000 * BY_NAME[alarm.name].dwell_s == 12_000
    assert alarm.silent_is_bad
