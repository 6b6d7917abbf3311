"""Prometheus exposition of plain numbers under the names of the table, for every process that has some."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from edgemind.domain.histogram import LATENCY_BOUNDS_MS, Histogram
from edgemind.domain.monitoring.metrics import Metric

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


Values = float | Iterable[tuple[str | tuple[str, ...], float]]
"""One number, or numbers by the value of the metric's label, or of its labels."""


def counter_family(metric: Metric, values: Values) -> CounterMetricFamily:
    family = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
    _fill(family, values)
    return family


def gauge_family(metric: Metric, values: Values) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
    _fill(family, values)
    return family


def _fill(family: CounterMetricFamily | GaugeMetricFamily, values: Values) -> None:
    for labels, value in [((), values)] if isinstance(values, int | float) else values:
        family.add_metric((labels,) if isinstance(labels, str) else labels, value)


def histogram_family(metric: Metric, histogram: Histogram) -> HistogramMetricFamily:
    """In seconds, as Prometheus wants them, in the metric's own buckets: those between two of them count as one."""
    buckets, running = [], 0
    for bound_ms, count in zip(LATENCY_BOUNDS_MS, histogram.counts, strict=False):
        running += count
        if bound_ms in metric.bounds_ms:
            buckets.append((f"{bound_ms / 1000.0:g}", running))
    buckets.append(("+Inf", histogram.count))
    return HistogramMetricFamily(metric.name, metric.text, buckets=buckets, sum_value=histogram.sum_ms / 1000.0)
