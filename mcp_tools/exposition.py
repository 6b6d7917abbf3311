"""The fleet's numbers in Prometheus' text format, as one controller sees them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from edgemind.domain.fleet_status import FleetStatus, ModelStatus, SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import GatewayCounters


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One family and where its value comes from; None leaves the sample out."""

    name: str
    meaning: str


_SITE: Sequence[tuple[_Gauge, Callable[[SiteStatus], float | None]]] = (
    (_Gauge("requests_per_second", "Requests asked for there"), lambda one: one.requests_per_s),
    (_Gauge("rtt_ms", "Round trip from the site that was asked"), lambda one: one.rtt_ms),
    (_Gauge("beacon_age_ms", "Age of its last beacon"), lambda one: one.beacon_age_ms),
    (_Gauge("table_age_ms", "Age of its routing table"), lambda one: one.table_age_ms),
    (_Gauge("store_ok", "Whether its state store works"), lambda one: float(one.store.ok) if one.store else None),
)
_GATEWAY: Sequence[tuple[_Gauge, Callable[[GatewayCounters], float | None]]] = (
    (_Gauge("requests", "Requests since its workers started"), lambda one: one.requests),
    (_Gauge("ok", "Answered"), lambda one: one.ok),
    (_Gauge("shed", "Shed"), lambda one: one.shed),
    (_Gauge("failed", "Failed"), lambda one: one.failed),
    (_Gauge("added_ms_p50", "Added latency, mean of its workers' medians"), lambda one: one.added_ms_p50),
    (_Gauge("added_ms_p99", "Added latency, its worst worker's p99"), lambda one: one.added_ms_p99),
)
_MODEL: Sequence[tuple[_Gauge, Callable[[ModelStatus], float | None]]] = (
    (_Gauge("in_flight", "Requests under way"), lambda one: one.in_flight),
    (_Gauge("slots", "Requests served at once"), lambda one: one.slots),
    (_Gauge("service_ms", "Service time, measured where requests ran"), lambda one: one.service_ms),
    (_Gauge("ready", "Whether its server is ready"), lambda one: float(one.ready)),
    (_Gauge("arrivals_per_second", "Requests asked for there"), lambda one: one.arrivals_per_s),
)


def fleet_exposition(fleet: FleetStatus) -> tuple[str, str]:
    """(content type, text)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(fleet))
    return CONTENT_TYPE_LATEST, generate_latest(registry).decode()


class _Collected:
    """What `prometheus_client` calls a collector."""

    def __init__(self, fleet: FleetStatus) -> None:
        self._sites = fleet.sites

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        yield self._states()
        sites = [((site.name,), site) for site in self._sites]
        counters = [((site.name,), site.gateway.counters) for site in self._sites if site.gateway]
        models = [((site.name, model.model), model) for site in self._sites for model in site.models]
        for gauge, value in _SITE:
            yield _family("site", gauge, ("site",), ((labels, value(one)) for labels, one in sites))
        for gauge, count in _GATEWAY:
            yield _family("site_gateway", gauge, ("site",), ((labels, count(one)) for labels, one in counters))
        for gauge, load in _MODEL:
            yield _family("site_model", gauge, ("site", "model"), ((labels, load(one)) for labels, one in models))

    def _states(self) -> Metric:
        gauge = _Gauge("state", "1 for the state that it is in")
        samples = (
            ((site.name, state.value), float(site.state is state)) for site in self._sites for state in SiteState
        )
        return _family("site", gauge, ("site", "state"), samples)


def _family(
    what: str, gauge: _Gauge, labels: Sequence[str], samples: Iterable[tuple[Sequence[str], float | None]]
) -> Metric:
    family = GaugeMetricFamily(f"edgemind_{what}_{gauge.name}", gauge.meaning, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family
