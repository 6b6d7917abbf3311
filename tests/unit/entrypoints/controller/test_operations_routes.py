"""KPIs, alerts and series over the fleet API: a metro in one process, asked at one of its sites."""

from dataclasses import replace
from functools import lru_cache

import pytest
from starlette.applications import Starlette

from edgemind.domain.kpi import KPIS
from edgemind.domain.operations.observed import SiteTroubles
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.operations_routes import OperationsRoutes
from tests.support.asgi import AsgiAnswer, ask
from tests.support.watched_metro import WatchedMetro

VIEWER = {"authorization": "Bearer look"}
DEAD = ("site_report_age_ms", "site-a")


@pytest.fixture
def watched() -> WatchedMetro:
    made = WatchedMetro()
    made.seconds(6)
    return made


@pytest.fixture(scope="module")
def still() -> WatchedMetro:
    """Only asked."""
    made = WatchedMetro()
    made.seconds(4)
    return made


@lru_cache(maxsize=8)
def app(watched: WatchedMetro, at: str) -> Starlette:
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    routes = OperationsRoutes(lambda: watched.sites[at])
    return controller_app(lambda: watched.metro.controllers[at], lambda: rules, None, (routes,))


def get(watched: WatchedMetro, path: str, at: str = "site-b", headers: dict[str, str] | None = None) -> AsgiAnswer:
    return ask(app(watched, at), "GET", f"/edgemind/v1{path}", VIEWER if headers is None else headers)


def shown(watched: WatchedMetro, at: str = "site-b", query: str = "") -> list[tuple[str, str, str | None]]:
    page = get(watched, f"/alerts{query}", at).json()
    return [(one["state"], one["name"], one["site"]) for one in page["alerts"]]


def test_every_kpi_is_told_with_its_target_whoever_is_asked(watched: WatchedMetro) -> None:
    watched.stats["site-c"] = {"requests": 0}
    watched.seconds(2)
    watched.stats["site-c"] = {"requests": 1000, "failed": 10, "late": 40, "by_site": {"site-c": 1000}}
    watched.seconds(4)
    told = get(watched, "/kpis").json()
    assert [kpi["name"] for kpi in told["kpis"]] == [kpi.name for kpi in KPIS]
    assert (told["tier"], told["asked"]) == ("local", "site-b")
    by_name = {kpi["name"]: kpi for kpi in told["kpis"]}
    assert (by_name["availability_ratio"]["value"], by_name["slo_attainment_ratio"]["value"]) == (0.99, 0.95)
    assert by_name["availability_ratio"]["level"] == "critical"
    assert all(kpi["why"] for kpi in told["kpis"] if kpi["value"] is None)


def test_a_site_that_died_is_told_once_shown_everywhere_and_its_return_too(watched: WatchedMetro) -> None:
    del watched.metro.running["site-a"]
    watched.seconds(20)
    assert [one for one in watched.told() if one[2:] == DEAD] == [("site-b", "fired", *DEAD)]
    assert shown(watched, "site-b") == shown(watched, "site-c") == [("firing", *DEAD)]
    page = get(watched, "/alerts", "site-c").json()
    assert (page["unreachable"], page["teller"]) == (["site-a"], "site-b")
    watched.metro.running["site-a"] = watched.metro.controllers["site-a"]
    watched.seconds(50)
    # Site-a was only away, and never told of itself: who told it ends it.
    assert [one[:2] for one in watched.told() if one[2:] == DEAD][1:] == [("site-b", "resolved")]
    assert shown(watched, "site-c") == [("resolved", *DEAD)]


def test_a_sites_own_trouble_is_told_by_itself_and_seen_by_all(watched: WatchedMetro) -> None:
    watched.troubles["site-c"] = replace(SiteTroubles(), config_refused="line 2: sites: is 7")
    watched.seconds(6)
    refused = ("firing", "config_refused", "site-c")
    assert (shown(watched, "site-b"), shown(watched, "site-c")) == ([refused], [refused])
    assert (shown(watched, "site-b", "?scope=site"), shown(watched, "site-c", "?scope=site")) == ([], [refused])
    assert [one[0] for one in watched.told()] == ["site-c"]
    (alert,) = get(watched, "/alerts").json()["alerts"]
    assert alert["text"].endswith("line 2: sites: is 7")
    assert alert["runbook"] == "runbooks/config-refused.md"


def test_what_has_no_source_here_is_neither_well_nor_an_alert(watched: WatchedMetro) -> None:
    broken = SiteTroubles(audit_broken="x", telemetry_drops="y", unknown=frozenset({"audit_broken", "telemetry_drops"}))
    watched.troubles["site-c"] = broken
    watched.seconds(66)
    assert shown(watched) == []


def test_series_of_all_sites_and_only_what_is_new(watched: WatchedMetro) -> None:
    watched.seconds(10)
    page = get(watched, "/series?step_ms=2000").json()
    assert [one["site"] for one in page["sites"]] == ["site-a", "site-b", "site-c"]
    assert [value for value in page["sites"][2]["values"]["in_flight"] if value is not None]
    last_ms = page["first_ms"] + (page["steps"] - 1) * page["step_ms"]
    assert get(watched, f"/series?step_ms=2000&since={last_ms}").json()["steps"] == 0
    watched.seconds(2)
    assert get(watched, f"/series?step_ms=2000&since={last_ms}").json()["steps"] == 1


@pytest.mark.parametrize("query", ["step_ms=2001", "step_ms=1000", "since=-1", "step_ms=x", "scope=galaxy"])
def test_what_cannot_be_asked_is_said(still: WatchedMetro, query: str) -> None:
    answer = get(still, f"/series?{query}")
    assert answer.status == 400
    assert answer.json()["error"]["param"] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["/kpis", "/alerts", "/series", "/measures"])
def test_nobody_reads_without_a_token(still: WatchedMetro, path: str) -> None:
    assert get(still, path, headers={}).status == 401
