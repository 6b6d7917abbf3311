"""KPIs of a metro, and what is observed by them."""

from typing import Any

import pytest

from edgemind.domain.kpi import KPIS, Level, Tier
from edgemind.domain.operations.counts import MINUTES, RequestCounts, SiteMeasures
from edgemind.domain.operations.metro import Measured, MetroMeasures, metro_kpis, statuses
from edgemind.domain.operations.observed import SiteTroubles, of_kpis, of_reports, of_site, shown
from edgemind.domain.swarm.summaries import RoundSummary

NOW_MS = 1_700_000_000_000


def minutes(**last: Any) -> list[RequestCounts | None]:
    return [*[None] * (MINUTES - 1), RequestCounts(**last)]


def round_of(n: int, decided_ms: float | None, minutes_ago: float = 1.0, *, timed_out: bool = False) -> RoundSummary:
    at_ms = NOW_MS - round(minutes_ago * 60_000)
    return RoundSummary(f"1.{n}", 1, n, at_ms, "site-a", "told", decided_ms=decided_ms, timed_out=timed_out)


def measures(**changes: Any) -> MetroMeasures:
    sites = [SiteMeasures("site-a", NOW_MS, True, minutes(requests=900, late=5, failed=1, in_cloud=90), 12.0)]
    sites.append(SiteMeasures("site-b", NOW_MS, True, minutes(requests=100, shed=4), 31.5))
    values: dict[str, Any] = {
        "sites": sites, "rounds": [], "ages_ms": {"site-a": 0.0, "site-b": 140.0}, "age_trend": [], "wall_ms": NOW_MS,
    }  # fmt: skip
    return MetroMeasures(**{**values, **changes})


def test_ratios_are_of_all_sites_together() -> None:
    found = metro_kpis(measures())
    assert found["availability_ratio"].value == pytest.approx(1 - 5 / 1000)
    assert found["slo_attainment_ratio"].value == pytest.approx(1 - 10 / 1000)
    assert found["metro_cache_hit_ratio"].value == pytest.approx(0.91)
    assert (found["availability_ratio"].window_s, found["availability_ratio"].requests) == (300, 1000)
    assert found["availability_ratio"].trend[-2:] == [None, pytest.approx(0.995)]


def test_latency_is_the_worst_sites_and_says_whose() -> None:
    found = metro_kpis(measures())["added_latency_ms"]
    assert found.value == 31.5
    assert found.why is not None
    assert "site-b" in found.why


def test_what_nobody_measured_has_no_value_and_says_why() -> None:
    found = metro_kpis(measures(sites=[SiteMeasures("site-a", NOW_MS, False, minutes())], ages_ms={}))
    assert {name for name, one in found.items() if one.value is None} == {kpi.name for kpi in KPIS}
    assert all(one.why for one in found.values())


def test_every_kpi_is_told_in_the_order_of_the_catalogue() -> None:
    told = statuses(metro_kpis(measures()), Tier.STAGING)
    assert [one.name for one in told] == [kpi.name for kpi in KPIS]
    by_name = {one.name: one for one in told}
    assert by_name["availability_ratio"].level is Level.CRITICAL
    assert by_name["spend_ratio"].level is Level.UNKNOWN
    assert by_name["added_latency_ms"].target == 100.0


def test_rounds_count_by_their_outcome_and_time() -> None:
    rounds = [round_of(1, 20.0), round_of(2, 90.0, 2.0), round_of(3, 130.0, 2.0), round_of(4, None, timed_out=True)]
    rounds += [round_of(5, None), round_of(6, 500.0, 16.0)]
    found = metro_kpis(measures(rounds=rounds))
    assert found["consensus_success_ratio"].value == 0.5
    assert found["swarm_coordination_ms"].value == 130.0
    assert found["swarm_coordination_ms"].trend[-3:] == [130.0, 20.0, None]
    none = metro_kpis(measures())["consensus_success_ratio"]
    assert (none.value, none.why) == (None, "the swarm decided no round in the last 15 min")


def test_a_round_of_a_clock_that_runs_ahead_is_of_now() -> None:
    found = metro_kpis(measures(rounds=[round_of(1, 20.0, -3.0)]))
    assert found["swarm_coordination_ms"].trend[-1] == 20.0


def test_the_oldest_report_is_the_metros_health() -> None:
    found = metro_kpis(measures(ages_ms={"site-a": 0.0, "site-b": 2500.0}))["site_report_age_ms"]
    assert (found.value, found.why) == (2500.0, "the oldest is site-b's")


def test_sites_that_did_not_answer_are_said_to_be_left_out() -> None:
    found = metro_kpis(measures(unreachable=("site-c",)))["availability_ratio"]
    assert found.why == "without site-c, which did not answer"


def test_nobody_is_woken_by_a_ratio_of_a_few_requests() -> None:
    few = {
        "availability_ratio": Measured(0.5, 300, requests=99),
        "slo_attainment_ratio": Measured(0.5, 300, requests=100),
    }
    seen = {one.name: one for one in of_kpis(few, Tier.LOCAL)}
    assert seen["availability_ratio"].level is Level.UNKNOWN
    slo = seen["slo_attainment_ratio"]
    assert (slo.level, slo.limit) == (Level.WARNING, 0.99)
    assert slo.text == "SLO attainment is 50 % over 5 min, against 99 %."


def test_each_site_has_an_observation_of_its_own() -> None:
    seen = of_reports({"site-a": 0.0, "site-b": 7200.0}, Tier.PRODUCTION)
    assert [(one.site, one.level) for one in seen] == [("site-a", Level.OK), ("site-b", Level.CRITICAL)]
    assert seen[1].text == "site-b has told nothing for 7.2 s, against 2000 ms."
    assert of_kpis({"site_report_age_ms": Measured(7200.0)}, Tier.LOCAL) == []


def test_a_site_tells_its_own_troubles_and_not_what_it_cannot_know() -> None:
    troubles = SiteTroubles(store_unreachable="timed out", unknown=frozenset({"audit_broken", "telemetry_drops"}))
    seen = {one.name: one for one in of_site("site-a", troubles)}
    assert set(seen) == {"config_refused", "store_unreachable"}
    assert seen["config_refused"].level is Level.OK
    assert seen["store_unreachable"].level is Level.WARNING
    assert seen["store_unreachable"].text.endswith("timed out")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.9991, "ratio", "99.91 %"), (1.0, "ratio", "100 %"), (31.5, "ms", "31.5 ms"), (None, "ms", "unknown")],
)
def test_values_read_well(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text
