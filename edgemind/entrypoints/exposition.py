"""Prometheus exposition of plain histograms, for every process that has some."""

from prometheus_client.core import HistogramMetricFamily

from edgemind.domain.histogram import LATENCY_BOUNDS_MS, Histogram

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def histogram_family(name: str, text: str, histogram: Histogram) -> HistogramMetricFamily:
    """In seconds, as Prometheus wants them."""
    buckets, running = [], 0
    for position, count in enumerate(histogram.counts):
        running += count
        bound = f"{LATENCY_BOUNDS_MS[position] / 1000.0:g}" if position < len(LATENCY_BOUNDS_MS) else "+Inf"
        buckets.append((bound, running))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.sum_ms / 1000.0)
