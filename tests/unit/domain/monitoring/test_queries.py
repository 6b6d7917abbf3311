"""Every query names metrics and labels of the table only; the endpoints are tested to expose the table."""

import re

import pytest

from edgemind.domain.kpi import Tier
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.grafana import dashboards, queries_of
from edgemind.domain.monitoring.metrics import AT, METRICS, METRO
from edgemind.domain.monitoring.promql import PROMQL

EXPOSED = {series: metric for metric in METRICS.values() for series in metric.series}
QUERIES = [
    *(query for query in PROMQL.values() if isinstance(query, str)),
    *(one.promql for one in CONDITIONS if one.promql is not None),
    *(query for document in dashboards(Tier.LOCAL).values() for query in queries_of(document)),
]
NAMES = re.compile(r"edgemind_[a-z_]+")
LABELS = re.compile(r"\bby \(([a-z_, ]+)\)|([a-z_]+) *(?:=~|!=|=)\"")


def unknown_in(query: str) -> set[str]:
    """Names and labels of a query that nobody exposes."""
    names = set(NAMES.findall(query))
    labels = {label for found in LABELS.findall(query) for label in re.split(", *", found[0] or found[1])}
    known = {METRO, AT, *(label for name in names & EXPOSED.keys() for label in EXPOSED[name].labels)}
    if any(name.endswith("_bucket") for name in names):
        known.add("le")
    return (names - EXPOSED.keys()) | (labels - known)


@pytest.mark.parametrize("query", sorted(set(QUERIES)))
def test_a_query_asks_for_what_is_exposed(query: str) -> None:
    assert NAMES.findall(query)
    assert unknown_in(query) == set()


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ("sum by (metro) (rate(edgemind_gateway_requests[5m]))", {"edgemind_gateway_requests"}),
        ("sum by (tenant) (rate(edgemind_gateway_requests_total[5m]))", {"tenant"}),
        ('edgemind_site_up{model="m"}', {"model"}),
        ("sum by (le) (edgemind_site_up)", {"le"}),
    ],
)
def test_others_are_found(query: str, unknown: set[str]) -> None:
    assert unknown_in(query) == unknown


def test_for_fifty_sites_the_table_is_worth_less_than_5000_series_of_a_process() -> None:
    """What one scrape brings at most, of a gateway worker that knows 50 sites with 5 models each."""
    sites, models, reasons = 50, 5, 12
    sizes = {"site": sites, "model": models, "reason": reasons, "outcome": 7, "state": 4}
    series = 0
    for metric in METRICS.values():
        each = 37 if metric.kind.value == "histogram" else 1
        for label in metric.labels:
            each *= sizes[label]
        series += each
    assert series < 5000
