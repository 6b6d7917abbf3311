"""Prometheus exposition of one worker, read from its plain counters at scrape time: the hot path pays nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from edgemind.domain.fleet import Tier
from edgemind.domain.monitoring.metrics import METRICS
from edgemind.entrypoints.exposition import histogram_family
from edgemind.entrypoints.gateway.app import Parts

COUNTERS = {
    "requests": "Inference requests admitted by this worker.",
    "ok": "Requests answered by a model server below status 500.",
    "late": "Requests answered after their own deadline; they count as ok, too.",
    "shed": "Requests that no site could take.",
    "failed": "Requests that failed after they were admitted.",
    "refused": "Requests refused before a decision (authentication, rate, invalid input).",
    "retried": "Requests tried once more elsewhere.",
    "hung_up": "Requests whose client left early.",
    "cut": "Answers that ended in the middle because their upstream died.",
    "reload_failures": "Configurations that were refused at a reload; the one before stays in force.",
}
BY_LABEL = {"by_site": "site", "by_reason": "reason", "by_model": "model"}


class WorkerCollector(Collector):
    """Labels are site, reason and model names only: all from the configuration, so their number is bounded."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        stats = self._parts.stats
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"edgemind_gateway_{name}", text, value=getattr(stats, name))
        yield CounterMetricFamily(
            "edgemind_gateway_cloud", "Requests that were sent to the cloud tier.", value=_in_cloud(self._parts)
        )
        for attribute, label in BY_LABEL.items():
            family = CounterMetricFamily(
                f"edgemind_gateway_routed_{attribute}", f"Requests by {label}.", labels=[label]
            )
            for value, count in getattr(stats, attribute).items():
                family.add_metric([value], count)
            yield family
        yield histogram_family(METRICS["edgemind_gateway_first_byte_seconds"], stats.first_byte)
        yield histogram_family(METRICS["edgemind_gateway_added_latency_seconds"], stats.added)
        yield from self._places()
        yield GaugeMetricFamily(
            "edgemind_gateway_tasks", "Tasks of this worker's event loop.", value=len(asyncio.all_tasks())
        )
        yield CounterMetricFamily(
            "edgemind_telemetry_dropped", "Spans that were to be kept and never arrived.", value=stats.telemetry_dropped
        )
        age_s = table_age_s(self._parts)
        if age_s is not None:
            yield GaugeMetricFamily("edgemind_gateway_table_age_seconds", "Age of the routing table.", value=age_s)

    def _places(self) -> Iterable[Metric]:
        in_flight = GaugeMetricFamily(
            "edgemind_gateway_in_flight", "Requests under way, by site and model.", labels=["site", "model"]
        )
        ejected = GaugeMetricFamily("edgemind_gateway_ejected", "Upstreams ejected just now.", labels=["site", "model"])
        # A site may have several servers of one model; a label set may appear only once.
        own, out = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for target in self._parts.router.targets.values():
            place = target.candidate.site.name, target.candidate.model
            own[place] += target.candidate.own
            out[place] += not target.candidate.available
        # Fifty sites that all showed every place of all others would be thousands of zeros.
        for place in own:
            here = place[0] == self._parts.router.ingress
            if here or own[place]:
                in_flight.add_metric(place, own[place])
            if here or out[place]:
                ejected.add_metric(place, out[place])
        yield in_flight
        yield ejected


def _in_cloud(parts: Parts) -> int:
    sites = [target.candidate.site for target in parts.router.targets.values()]
    return sum(parts.stats.by_site[name] for name in {site.name for site in sites if site.tier is Tier.CLOUD})


def table_age_s(parts: Parts) -> float | None:
    """Seconds since the routing table was computed, or None before the first one."""
    table = parts.router.table
    return max(0.0, (parts.clock.wall_ms() - table.computed_at_ms) / 1000.0) if table.version else None


def exposition(parts: Parts) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WorkerCollector(parts))
    return generate_latest(registry)
