"""What each controller writes to CloudWatch once a minute, in CloudWatch's embedded metric format (EMF)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMESPACE, METRO, SITE = "EdgeMind", "metro", "site"
PERIOD_S = 60
VALUES_LIMIT = 100
"""CloudWatch takes no more values of one metric in one document."""


@dataclass(frozen=True, slots=True)
class EmfMetric:
    """`per_site`: kept for each site, too, not for the metro alone. Each name and site is a metric that is billed."""

    name: str
    unit: str
    text: str
    per_site: bool = False


EMF_METRICS = (
    EmfMetric("requests", "Count", "Inference requests admitted at the site's gateways.", per_site=True),
    EmfMetric("failed", "Count", "Requests that failed after they were admitted."),
    EmfMetric("shed", "Count", "Requests that no site could take.", per_site=True),
    EmfMetric("late", "Count", "Answers that came after their own deadline."),
    EmfMetric("cloud", "Count", "Requests that were sent to the cloud tier."),
    EmfMetric("added_latency_p99", "Milliseconds", "Of the site's worst gateway worker, lately.", per_site=True),
    EmfMetric("rounds", "Count", "Rounds that this site coordinated to their end; those left do not count."),
    EmfMetric("rounds_in_time", "Count", "Those that a quorum decided within 100 ms."),
    EmfMetric("round_decided", "Milliseconds", "How long each of those that a quorum decided took."),
    EmfMetric("oldest_report", "Milliseconds", "Age of the report of the site that was heard of longest ago."),
    EmfMetric("store_up", "None", "1 while the swarm's store and the registry answer, else 0."),
    EmfMetric("telemetry_dropped", "Count", "Documents like this one that were not written."),
)
BY_NAME: Mapping[str, EmfMetric] = {metric.name: metric for metric in EMF_METRICS}

Values = Mapping[str, float | Sequence[float]]
"""By the metric's name; what is not measured is left out."""


def emf_document(metro: str, site: str, at_ms: int, values: Values) -> dict[str, Any]:
    """One document. `at_ms` is wall time. Of more values than CloudWatch takes, evenly chosen ones stay."""
    told = [metric for metric in EMF_METRICS if metric.name in values and values[metric.name] != ()]
    directives = [_directive([METRO], told), _directive([METRO, SITE], [one for one in told if one.per_site])]
    return {
        "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [one for one in directives if one["Metrics"]]},
        METRO: metro,
        SITE: site,
        **{metric.name: _bounded(values[metric.name]) for metric in told},
    }


def metrics_billed(sites: int) -> int:
    """Custom metrics of a metro of so many sites."""
    return len(EMF_METRICS) + sites * sum(metric.per_site for metric in EMF_METRICS)


def _directive(dimensions: list[str], metrics: list[EmfMetric]) -> dict[str, Any]:
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in metrics],
    }


def _bounded(value: float | Sequence[float]) -> float | list[float]:
    if isinstance(value, int | float):
        return value
    ordered = sorted(value)
    if len(ordered) <= VALUES_LIMIT:
        return ordered
    # The ends stay, so that neither the worst nor the best is lost.
    return [ordered[k * (len(ordered) - 1) // (VALUES_LIMIT - 1)] for k in range(VALUES_LIMIT)]
