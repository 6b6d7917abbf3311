"""Words, charts, and the rows of the list of decisions."""

import json
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from dashboard.charts import GREY, latency_chart, requests_chart, site_lines
from dashboard.history import TrendPoint
from dashboard.trends import busiest, whole_trend
from dashboard.views.decisions import row
from dashboard.views.rounds import row as round_row
from dashboard.wording import measured, milliseconds, number, percent, period, share
from edgemind.domain.operations_status import SeriesPage, SiteSeries
from edgemind.domain.requests import Reason, ShedReason, because
from edgemind.domain.swarm.records import KEEP, Outcome
from edgemind.domain.swarm.summaries import summary_of
from edgemind.domain.worker_reports import DecisionSummary
from tests.support.round_records import effect, round_record
from tests.unit.dashboard.fleets import AT_MS

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
        "why": "least request", "predicted": "10 ms", "took": "12.5 ms", "status": "200", "bad": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"site": "site-a"}, {"where": "site-a"}),
        ({"site": None, "status": 503, "actual_ms": 0.0}, {"where": "site-a → nobody", "took": "-", "bad": "status"}),
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
    assert latency_chart(TREND).to_dict()["layer"][0]["encoding"]["strokeDash"]["field"] == "line"


def test_rounds_stand_on_the_charts_of_their_time() -> None:
    inside = replace(summary_of(round_record()), at_ms=AT_MS + 1000)
    before = replace(inside, at_ms=AT_MS - 1000)
    datasets = requests_chart(TREND, [inside, before]).to_dict()["datasets"].values()
    assert [[one["round"] for one in rows] for rows in datasets if "round" in rows[0]] == [["round 1.3"]]


def test_a_round_is_a_row_and_what_failed_in_it_stands_out() -> None:
    record = round_record()
    failed = summary_of(replace(record, effects=(effect(record, "failed"),)))
    shown = round_row(failed, UTC)
    assert (shown["id"], shown["time"], shown["breach"], shown["bad"]) == (
        "1.3",
        "00:00:03",
        "llm at site-a",
        "effects",
    )
    assert (shown["decided"], shown["ballots"], shown["effects"]) == ("31.2 ms", "3/3", "site-c failed")
    timed_out = summary_of(replace(record, outcome=Outcome(KEEP, timed_out=True)))
    assert round_row(timed_out, UTC)["bad"] == "told"


def test_of_many_sites_the_greatest_are_coloured_and_all_are_drawn() -> None:
    values: dict[str, list[float | None]] = {f"s{place}": [None, float(place)] for place in range(50)}
    first = busiest({**values, "silent": [None]}, 6)
    assert first == ["s49", "s48", "s47", "s46", "s45", "s44"]
    options = site_lines(values, ["00:00:00", "00:00:05"], first)
    assert len(options["series"]) == 50
    assert options["legend"]["data"] == first
    coloured = [one for one in options["series"] if one["lineStyle"]["color"] != GREY]
    assert len({(one["lineStyle"]["color"], one["lineStyle"]["type"]) for one in coloured}) == 6
    assert options["series"][-1]["data"] == [None, 44.0]


def test_the_kept_series_come_before_what_the_page_saw_itself() -> None:
    sites = [
        SiteSeries("a", {"requests_per_s": [1.0, 2.0, None], "added_ms_p99": [5.0, None, None]}),
        SiteSeries("b", {"requests_per_s": [None, 3.0], "added_ms_p99": [None, 7.0]}),
    ]
    kept = SeriesPage(AT_MS - 4000, 2000, 3, sites)
    whole = whole_trend(kept, TREND)
    assert [(one.at_ms - AT_MS, one.requests_per_s, one.added_ms_p99) for one in whole] == [
        (-4000, 1.0, 5.0), (-2000, 5.0, 7.0), (0, 10.0, None), (2000, 12.0, 30.0),
    ]  # fmt: skip
    assert whole_trend(None, TREND) == TREND


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "<0.1 %"),
        (0.5, "50 %"),
        (0.991, "99.1 %"),
        (0.98999, "98.99 %"),
        (0.99899, "99.89 %"),
        (0.99999, ">99.99 %"),
        (1, "100 %"),
        (1.2, "120 %"),
    ],
)
def test_a_ratio_is_all_or_nothing_only_if_it_is(ratio: float, text: str) -> None:
    assert percent(ratio) == text


def test_what_was_not_measured_is_unknown() -> None:
    assert (measured(None, "ms"), measured(31.24, "ms"), measured(0.85, "ratio"), measured(4.0, "min")) == (
        "unknown", "31.2 ms", "85 %", "4 min",
    )  # fmt: skip
