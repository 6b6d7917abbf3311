"""KPIs of a metro, and what is observed by them."""

from dataclasses import replace
from typing import Any

import pytest

from edgemind.domain.alerts.engine import AlertEngine, Change, Observation
from edgemind.domain.alerts.rules import RULES
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
    assert found["metro_cache_hit_ratio"].value == pytest.approx(1 - 90 / 995, abs=1e-6)
    assert (found["availability_ratio"].window_s, found["availability_ratio"].requests) == (300, 1000)
    assert found["availability_ratio"].trend[-2:] == [None, pytest.approx(0.995)]


def test_requests_that_nobody_served_are_no_cache_hits() -> None:
    some = SiteMeasures("site-a", NOW_MS, True, minutes(requests=1000, shed=700, failed=100, in_cloud=100))
    found = metro_kpis(measures(sites=[some]))["metro_cache_hit_ratio"]
    assert (found.value, found.requests, found.trend[-1]) == (0.5, 200, 0.5)
    none = SiteMeasures("site-a", NOW_MS, True, minutes(requests=1000, shed=1000))
    assert metro_kpis(measures(sites=[none]))["metro_cache_hit_ratio"].value is None


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


def quiet_site(**changes: Any) -> SiteMeasures:
    """Hardly anything happens at it, and all of that is known."""
    counted: list[RequestCounts | None] = [RequestCounts(requests=9, failed=9)] * MINUTES
    return replace(SiteMeasures("site-a", NOW_MS, True, counted), **changes)


def observed(**changes: Any) -> dict[str, Observation]:
    return {one.name: one for one in of_kpis(metro_kpis(measures(**changes)), Tier.LOCAL)}


WATCHED = {
    "availability_ratio": "Availability: fewer than 100 requests in the last 5 min.",
    "slo_attainment_ratio": "SLO attainment: fewer than 100 requests in the last 5 min.",
    "metro_cache_hit_ratio": "Metro cache hits: fewer than 100 requests in the last 5 min.",
    "added_latency_ms": "Added latency: no request ended lately at a model server that states its own service time.",
    "consensus_success_ratio": "Consensus success: the swarm decided no round in the last 15 min.",
    "swarm_coordination_ms": "Swarm coordination: the swarm decided no round in the last 15 min.",
}
"""KPIs of the metro that a controller measures, and what is said of them where nothing happens."""


def test_where_nothing_happens_all_is_well() -> None:
    seen = observed(sites=[quiet_site()])
    assert {name: (seen[name].level, seen[name].text) for name in WATCHED} == {
        name: (Level.OK, text) for name, text in WATCHED.items()
    }
    assert seen["spend_ratio"].level is Level.UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"unreachable": ("site-b",)}, id="a site did not answer"),
        pytest.param({"sites": [quiet_site(), quiet_site(gateway=False)]}, id="a gateway did not report"),
        pytest.param(
            {"sites": [quiet_site(), quiet_site(minutes=minutes())]}, id="a controller has just begun to look"
        ),
        pytest.param({"sites": []}, id="nobody told anything"),
    ],
)
def test_what_could_not_be_asked_is_unknown(changes: dict[str, Any]) -> None:
    seen = observed(**{"sites": [quiet_site()], **changes})
    of_requests = ("availability_ratio", "slo_attainment_ratio", "metro_cache_hit_ratio", "added_latency_ms")
    assert {seen[name].level for name in of_requests} == {Level.UNKNOWN}


def test_rounds_that_could_not_be_asked_for_are_unknown() -> None:
    seen = observed(sites=[quiet_site()], unreachable=("site-b",))
    assert seen["consensus_success_ratio"].level is seen["swarm_coordination_ms"].level is Level.UNKNOWN


def test_latency_that_was_measured_minutes_ago_is_not_forgotten_between_two_requests() -> None:
    counted = [RequestCounts(requests=1, added_ms_p99=2000.0) for _ in range(MINUTES)]
    assert observed(sites=[quiet_site(minutes=counted)])["added_latency_ms"].level is Level.UNKNOWN


def test_an_alert_about_rounds_ends_when_the_round_is_out_of_the_window_and_no_other_came() -> None:
    engine = AlertEngine(RULES)
    notices = []
    for turn in range(700):
        now_s = 2.0 * turn
        rounds = [round_of(1, None, now_s / 60.0, timed_out=True)]
        seen = observed(sites=[quiet_site()], rounds=rounds).values()
        notices += engine.step(seen, (), now_s, NOW_MS + round(now_s * 1000))
    told = [(one.change, one.alert.name) for one in notices]
    assert told == [(Change.FIRED, "consensus_success_ratio"), (Change.RESOLVED, "consensus_success_ratio")]
    assert notices[-1].alert.text == WATCHED["consensus_success_ratio"]


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


def test_spans_that_are_dropped_are_not_told_as_something_of_cloudwatch() -> None:
    told = of_site("site-a", SiteTroubles(telemetry_drops="3 spans did not reach the collector"))[-1]
    assert told.text.startswith("Telemetry is dropped, and what it would show is missing")
    assert told.text.endswith("3 spans did not reach the collector")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.9991, "ratio", "99.91 %"), (1.0, "ratio", "100 %"), (31.5, "ms", "31.5 ms"), (None, "ms", "unknown")],
)
def test_values_read_well(value: float | None, unit: str, text: str) -> None:
    assert shown(value, unit) == text
