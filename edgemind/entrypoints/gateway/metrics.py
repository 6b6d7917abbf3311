"""Prometheus exposition of one worker, read from its plain counters at scrape time: the hot path pays nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from edgemind.domain.fleet import Tier
from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.metrics import GATEWAY, METRICS, TELEMETRY_DROPPED, Kind
from edgemind.entrypoints.exposition import Values, counter_family, gauge_family, histogram_family
from edgemind.entrypoints.gateway.app import Parts

PREFIX = "edgemind_gateway_"
COUNTERS = [metric for metric in GATEWAY if metric.kind is Kind.COUNTER]


class WorkerCollector(Collector):
    """Labels are site, reason and model names only: all from the configuration, so their number is bounded."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        stats = self._parts.stats
        for metric in COUNTERS:
            yield counter_family(metric, self._counted(metric.name.removeprefix(PREFIX)))
        yield histogram_family(_metric("first_byte_seconds"), stats.first_byte)
        yield histogram_family(_metric("added_latency_seconds"), stats.added)
        yield from self._places()
        yield gauge_family(_metric("tasks"), len(asyncio.all_tasks()))
        age_s = table_age_s(self._parts)
        if age_s is not None:
            yield gauge_family(_metric("table_age_seconds"), age_s)

    def _counted(self, name: str) -> Values:
        """Most counters are called in the statistics as they are here."""
        stats = self._parts.stats
        match name:
            case "cloud":
                return _in_cloud(self._parts)
            case TELEMETRY_DROPPED.name:
                return stats.telemetry_dropped
        found = getattr(stats, name.removeprefix("routed_"))
        return found.items() if isinstance(found, Mapping) else found

    def _places(self) -> Iterable[Metric]:
        # A site may have several servers of one model; a label set may appear only once.
        own, out = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for target in self._parts.router.targets.values():
            place = target.candidate.site.name, target.candidate.model
            own[place] += target.candidate.own
            out[place] += not target.candidate.available
        # Fifty sites that all showed every place of all others would be thousands of zeros.
        for metric, counts in ((_metric("in_flight"), own), (_metric("ejected"), out)):
            shown = ((place, counts[place]) for place in own if place[0] == self._parts.router.ingress or counts[place])
            yield gauge_family(metric, shown)


def _metric(name: str) -> names.Metric:
    return METRICS[f"{PREFIX}{name}"]


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
