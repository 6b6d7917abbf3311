"""Prometheus exposition of plain histograms, for every process that has some."""

from prometheus_client.core import HistogramMetricFamily

from edgemind.domain.histogram import LATENCY_BOUNDS_MS, Histogram
from edgemind.domain.monitoring.metrics import Metric

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def histogram_family(metric: Metric, histogram: Histogram) -> HistogramMetricFamily:
    """In seconds, as Prometheus wants them, in the metric's own buckets: those between two of them count as one."""
    buckets, running = [], 0
    for bound_ms, count in zip(LATENCY_BOUNDS_MS, histogram.counts, strict=False):
        running += count
        if bound_ms in metric.bounds_ms:
            buckets.append((f"{bound_ms / 1000.0:g}", running))
    buckets.append(("+Inf", histogram.count))
    return HistogramMetricFamily(metric.name, metric.text, buckets=buckets, sum_value=histogram.sum_ms / 1000.0)
