"""Active checks of model servers: the own site's, and those of sites that have no controller to report for them."""

from dataclasses import dataclass, field

from edgemind.domain.fleet import ModelEndpoint, Site
from edgemind.domain.readiness import ProbeOutcome, Readiness
from edgemind.errors import UpstreamFailed, UpstreamUnreachable
from edgemind.ports.clock import Clock
from edgemind.ports.site_servers import ModelServerProbe
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.own_site import OwnSite

PROBE_INTERVAL_S = 0.5


@dataclass(slots=True)
class ProbedServer:
    """One address to check, with the models behind it. `declared` names the site if it has no controller."""

    site: str
    base_url: str
    key: str | None
    models: tuple[str, ...]
    readiness: Readiness = field(default_factory=Readiness)


class ModelServerChecks:
    """Checks each address once per round, however many models it serves, and tells the sites what came of it."""

    def __init__(self, own: OwnSite, neighbourhood: Neighbourhood, probe: ModelServerProbe, clock: Clock) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._probe = probe
        self._clock = clock
        sites = [own.site, *(declared.site for declared in neighbourhood.declared.values())]
        self.servers = [server for site in sites for server in _servers(site)]

    async def check(self, server: ProbedServer) -> None:
        """One check of one server; what it shows is in effect when this returns."""
        sent_s = self._clock.monotonic_s()
        try:
            ready = await self._probe.ready(server.base_url, server.key)
            outcome = ProbeOutcome.READY if ready else ProbeOutcome.LOADING
        except UpstreamUnreachable:
            outcome = ProbeOutcome.REFUSED
        except UpstreamFailed:
            outcome = ProbeOutcome.SLOW
        server.readiness.observe(outcome)
        declared = self._neighbourhood.declared.get(server.site)
        if declared is not None and outcome is ProbeOutcome.READY:
            declared.round_trip.observe((self._clock.monotonic_s() - sent_s) * 1000.0)
        self._publish(server.site)

    def _publish(self, site: str) -> None:
        """A model is ready if any of its servers is."""
        ready: dict[str, bool] = {}
        for server in self.servers:
            if server.site == site:
                for model in server.models:
                    ready[model] = ready.get(model, False) or server.readiness.ready
        if site == self._own.site.name:
            self._own.ready_models = ready
        else:
            self._neighbourhood.declared[site].ready_models = ready


def _servers(site: Site) -> list[ProbedServer]:
    by_address: dict[tuple[str, str | None], list[ModelEndpoint]] = {}
    for endpoint in site.endpoints:
        by_address.setdefault((endpoint.base_url, endpoint.key), []).append(endpoint)
    return [
        ProbedServer(site.name, base_url, key, tuple(endpoint.model for endpoint in endpoints))
        for (base_url, key), endpoints in by_address.items()
    ]
