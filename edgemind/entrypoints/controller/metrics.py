"""Prometheus exposition of one controller, read from its plain counters at scrape time.

Bare, as the gateway's is, but at the listener that other machines reach: it answers to whoever may read the fleet API.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgemind.domain.membership import SiteState
from edgemind.domain.monitoring import metrics as names
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.answers import ApiRefusal, refusal_response
from edgemind.entrypoints.controller.fleet_routes import credentials
from edgemind.entrypoints.exposition import PROMETHEUS_TEXT, counter_family, gauge_family, histogram_family
from edgemind.ports.clock import Clock
from edgemind.services.rounds.round_counts import RoundCounts
from edgemind.services.rounds.site_rounds import SiteRounds
from edgemind.services.site_controller import SiteController


@dataclass(frozen=True, slots=True)
class MetricSources:
    """Asked at each scrape. `rounds` is None where the site takes part in none; `ages_ms` is of the others' reports."""

    controller: Callable[[], SiteController]
    rounds: Callable[[], SiteRounds | None]
    counts: RoundCounts
    ages_ms: Callable[[], Mapping[str, float]]
    clock: Clock


class ControllerCollector(Collector):
    """Labels are names of sites and of this code's own words, so their number is bounded."""

    def __init__(self, sources: MetricSources) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        rounds = self._sources.rounds()
        if rounds is not None:
            yield from self._swarm(rounds)
        yield from self._sites()

    def _swarm(self, rounds: SiteRounds) -> Iterable[Metric]:
        counts, status, driver = self._sources.counts, rounds.status, rounds.driver
        yield counter_family(names.ROUNDS, counts.outcomes.items())
        yield histogram_family(names.DECIDED, counts.decided)
        yield counter_family(names.EFFECTS, counts.effects.items())
        yield counter_family(names.MESSAGES_LOST, driver.unheard)
        yield gauge_family(names.STORE_SECONDS, driver.store_ms / 1000.0)
        yield gauge_family(names.STORE_UP, status.store_ok)
        yield counter_family(names.STORE_FAILURES, driver.store_failures)
        yield gauge_family(names.ROSTER_SITES, len(status.roster))

    def _sites(self) -> Iterable[Metric]:
        controller, now_s = self._sources.controller(), self._sources.clock.monotonic_s()
        around, registry = controller.neighbourhood, controller.heartbeat.status
        alive = {
            name: neighbour.membership.state(now_s) is SiteState.ALIVE for name, neighbour in around.neighbours.items()
        }
        ages_ms, watched = self._sources.ages_ms(), around.watched
        yield gauge_family(names.REPORT_AGE, ((site, ages_ms[site] / 1000.0) for site in watched if site in ages_ms))
        yield gauge_family(names.SITE_UP, ((site, alive[site]) for site in watched if site in alive))
        yield gauge_family(names.REGISTRY_UP, registry.ok)
        yield counter_family(names.REGISTRY_FAILURES, registry.failures)


class MetricsRoute:
    """`access` is asked for at each request: a reload may have replaced it."""

    def __init__(self, sources: MetricSources, access: Callable[[], AccessRules]) -> None:
        self._access = access
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(ControllerCollector(sources))

    def route(self) -> Route:
        return Route("/metrics", self._metrics)

    async def _metrics(self, request: Request) -> Response:
        try:
            self._access().allowed(credentials(request), Role.VIEWER)
        except ApiRefusal as refusal:
            return refusal_response(refusal)
        return Response(generate_latest(self._registry), media_type=PROMETHEUS_TEXT)
