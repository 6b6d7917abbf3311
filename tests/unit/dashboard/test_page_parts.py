"""Words, charts, and the rows of the list of decisions."""

import json
from datetime import UTC
from typing import Any

import pytest

from dashboard.charts import latency_chart, requests_chart
from dashboard.history import TrendPoint
from dashboard.views.decisions import row
from dashboard.views.fleet import measured_on
from dashboard.wording import milliseconds, number, period, share
from edgemind.domain.requests import Reason, ShedReason, because
from edgemind.domain.worker_reports import DecisionSummary
from tests.unit.dashboard.fleets import AT_MS, fleet, site

TREND = (TrendPoint(AT_MS, 1, 10.0, 1.5, None), TrendPoint(AT_MS + 2000, 1, 12.0, 1.6, 30.0))
DECISION = DecisionSummary(
    "dec-site-a-0-0123456789abcdef", AT_MS + 7, "detector", "demo", "site-b", "least_request", 10.0, 12.5, 200
)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0, "0"), (0.421, "0.42"), (7.34, "7.3"), (412.4, "412"), (12345, "12,345")]
)
def test_numbers_have_the_decimals_that_a_person_reads(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "-"), (0.42, "0.42 ms"), (999, "999 ms"), (3200, "3.2 s"), (300_000, "5 min")]
)
def test_durations_take_the_unit_that_fits(ms: float | None, text: str) -> None:
    assert milliseconds(ms) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 0, "-"), (0, 9, "0 %"), (1, 9999, "<1 %"), (9998, 9999, ">99 %"), (9, 9, "100 %"), (1, 4, "25 %")],
)
def test_a_share_never_says_all_or_nothing_of_what_is_not(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


def test_a_period_is_told() -> None:
    assert (period(None), period(0.2), period(60.0)) == (
        "since the gateways started",
        "in the last 1 s",
        "in the last 60 s",
    )


@pytest.mark.parametrize("reason", [*Reason, *ShedReason])
def test_every_reason_code_is_told_in_words(reason: Reason | ShedReason) -> None:
    assert because(reason.value) != reason.value.replace("_", " ")
    assert because(f"shed:{reason.value}") == because(reason.value)


def test_a_reason_of_a_newer_fleet_stands_for_itself() -> None:
    assert because("moon_phase") == "moon phase"


def test_a_decision_is_shown_as_text() -> None:
    assert row(DECISION, UTC) == {
        "id": DECISION.id, "time": "00:00:00.007", "model": "detector", "where": "site-a → site-b",
        "why": "least request", "predicted": "10 ms", "took": "12.5 ms", "status": "200", "bad": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"site": "site-a"}, {"where": "site-a"}),
        ({"site": None, "status": 503, "actual_ms": 0.0}, {"where": "site-a → nobody", "took": "-", "bad": True}),
        ({"status": 0, "actual_ms": 0.0}, {"took": "under way", "status": ""}),
        ({"status": 200, "actual_ms": 0.0}, {"took": "under way"}),
        ({"status": 0, "actual_ms": None}, {"took": "under way"}),
        ({"id": "odd", "site": "x"}, {"where": "? → x"}),
    ],
)
def test_decisions_that_are_not_over_or_were_not_taken_say_so(changes: dict[str, Any], shown: dict[str, Any]) -> None:
    fields = {name: getattr(DECISION, name) for name in DecisionSummary.__slots__}
    told = row(DecisionSummary(**{**fields, **changes}), UTC)
    assert {name: told[name] for name in shown} == shown


def rows_of(chart: Any) -> list[dict[str, Any]]:
    (rows,) = chart.to_dict()["datasets"].values()
    return list(rows)


def test_charts_hold_the_rows_that_they_are_made_of() -> None:
    assert [one["value"] for one in rows_of(requests_chart(TREND))] == [10.0, 12.0]
    lines = [(one["line"], one["value"]) for one in rows_of(latency_chart(TREND))]
    assert lines == [("p50", 1.5), ("p50", 1.6), ("p99 (worst site)", 30.0)]


@pytest.mark.parametrize("chart", [requests_chart, latency_chart])
def test_a_chart_is_pure_loads_nothing_and_survives_an_empty_trend(chart: Any) -> None:
    first = json.dumps(chart(TREND).to_dict())
    assert first == json.dumps(chart(TREND).to_dict())
    assert '"url"' not in first
    chart(()).to_dict()


def test_lines_differ_in_more_than_colour() -> None:
    assert latency_chart(TREND).to_dict()["encoding"]["strokeDash"]["field"] == "line"


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:8100", "local"), ("http://localhost:1", "local"), ("http://gw.example", ""), (None, "")],
)
def test_a_laptops_latencies_are_said_to_be_local(url: str | None, said: str) -> None:
    assert measured_on(fleet(site("a", gateway_url=url))) == said
