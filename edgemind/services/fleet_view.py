"""The fleet as one controller sees it, completed by what the other controllers say about themselves."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from edgemind.domain.audit.status import AuditStatus
from edgemind.domain.beacons import ModelLoad
from edgemind.domain.fleet import Site
from edgemind.domain.fleet_status import (
    FleetModel,
    FleetStatus,
    GatewayStatus,
    HeldModel,
    ModelList,
    ModelStatus,
    SiteList,
    SiteStatus,
    SwarmStatus,
    TableStatus,
)
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import merge_counters
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.peers import Peers
from edgemind.services.compute_table import TableComputer
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.neighbourhood import Neighbourhood, declared_loads
from edgemind.services.own_site import OwnSite


class FleetView:
    """Read-only: every method describes this moment."""

    def __init__(
        self,
        own: OwnSite,
        neighbourhood: Neighbourhood,
        tables: TableComputer,
        heartbeat: Heartbeat,
        peers: Peers,
        clock: Clock,
    ) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._tables = tables
        self._heartbeat = heartbeat
        self._peers = peers
        self._clock = clock
        self.swarm: Callable[[], SwarmStatus | None] = lambda: None
        """Whoever runs this site's rounds sets it."""
        self.audit: Callable[[], AuditStatus | None] = lambda: None

    async def fleet(self) -> FleetStatus:
        return self._fleet_of((await self.sites()).sites)

    def known_fleet(self) -> FleetStatus:
        """The metro from the beacons at hand: nobody is asked for this, so it takes no time."""
        return self._fleet_of(self._known_sites())

    def _fleet_of(self, sites: list[SiteStatus]) -> FleetStatus:
        metro = self._neighbourhood.fleet.metro
        per_s = sum(site.requests_per_s for site in sites)
        return FleetStatus(metro, self._own.site.name, self._clock.wall_ms(), round(per_s, 2), sites)

    async def sites(self) -> SiteList:
        names = [site.name for site in self._neighbourhood.fleet.sites]
        statuses = await asyncio.gather(*(self.site(name) for name in names))
        return SiteList([status for status in statuses if status is not None])

    async def site(self, name: str) -> SiteStatus | None:
        """One site with what its own controller says, if it can be asked; None if there is no such site."""
        site = self._neighbourhood.fleet.site(name)
        if site is None:
            return None
        if name == self._own.site.name:
            return self.own_site()
        seen = self._seen(site)
        if site.controller_url is None or seen.state in {SiteState.SUSPECTED, SiteState.GONE}:
            return seen
        try:
            told = await self._peers.site_status(name)
        except (TemporaryError, PermanentError):
            return seen
        return replace(
            told,
            name=name,
            state=seen.state,
            rtt_ms=seen.rtt_ms,
            beacon_age_ms=seen.beacon_age_ms,
            heartbeat_age_ms=seen.heartbeat_age_ms,
            position=seen.position or told.position,
        )

    def own_site(self) -> SiteStatus:
        """This controller's own site: no other one knows it better."""
        own = self._own
        loads = own.loads()
        table = self.table()
        return SiteStatus(
            name=own.site.name,
            state=SiteState.DRAINING if own.draining else SiteState.ALIVE,
            zones=sorted(own.site.zones),
            models=_model_statuses(loads),
            requests_per_s=_arrivals_per_s(loads),
            gateway_url=own.site.gateway_url,
            controller_url=own.site.controller_url,
            heartbeat_age_ms=self._heartbeat.age_ms(own.site.name),
            table_version=table.version if table else None,
            table_age_ms=table.age_ms if table else None,
            gateway=self._gateway(),
            store=self._heartbeat.status,
            swarm=self.swarm(),
            audit=self.audit(),
            position=own.site.position,
        )

    def table(self) -> TableStatus | None:
        """The own ingress's table; None until the neighbours have been heard."""
        table = self._tables.latest
        if table is None:
            return None
        weights = {
            model: {site: round(per_s, 3) for site, per_s in row.items()} for model, row in table.weights.items()
        }
        age_ms = float(max(0, self._clock.wall_ms() - table.computed_at_ms))
        return TableStatus(self._own.site.name, table.version, table.computed_at_ms, age_ms, weights)

    def _known_sites(self) -> list[SiteStatus]:
        """By name."""
        others = [self._seen(site) for site in self._neighbourhood.fleet.sites if site.name != self._own.site.name]
        return sorted([self.own_site(), *others], key=lambda site: site.name)

    def models(self) -> ModelList:
        """Every model and where it is held, from the beacons at hand: nobody is asked for this."""
        sites = self._known_sites()
        cloud = self._neighbourhood.fleet.cloud
        in_cloud = set(cloud.models()) if cloud else set()
        names = sorted(in_cloud | {model.model for site in sites for model in site.models})
        return ModelList([_fleet_model(name, sites, name in in_cloud) for name in names])

    def _seen(self, site: Site) -> SiteStatus:
        """Another site from here: its last beacon, else what is declared."""
        now_s = self._clock.monotonic_s()
        neighbour = self._neighbourhood.neighbours.get(site.name)
        declared = self._neighbourhood.declared.get(site.name)
        beacon = neighbour.beacon if neighbour else None
        loads = beacon.models if beacon else declared.loads() if declared else declared_loads(site)
        measured = neighbour or declared
        return SiteStatus(
            name=site.name,
            state=self._neighbourhood.state(site.name, now_s) or self._registered_state(site.name),
            zones=sorted(site.zones),
            models=_model_statuses(loads),
            requests_per_s=_arrivals_per_s(loads),
            gateway_url=site.gateway_url,
            controller_url=site.controller_url,
            rtt_ms=round(measured.round_trip.ms, 3) if measured else None,
            beacon_age_ms=round((now_s - neighbour.beacon_s) * 1000.0, 1) if neighbour and beacon else None,
            heartbeat_age_ms=self._heartbeat.age_ms(site.name),
            position=site.position,
        )

    def _registered_state(self, site: str) -> SiteState:
        """A site too far for beacons: the registry is all there is to go by."""
        return SiteState.SUSPECTED if self._heartbeat.age_ms(site) is None else SiteState.ALIVE

    def _gateway(self) -> GatewayStatus | None:
        reports = self._own.reports()
        if not reports:
            return None
        return GatewayStatus(
            workers=len(reports),
            draining=all(report.draining for report in reports),
            table_version=min(report.table_version for report in reports),
            counters=merge_counters(report.counters for report in reports),
        )


def _model_statuses(loads: Mapping[str, ModelLoad]) -> list[ModelStatus]:
    """Only what the site holds: models that are merely asked for there have no slots."""
    return [
        ModelStatus(
            name,
            load.in_flight,
            load.slots,
            load.service_ms,
            load.ready,
            load.arrivals_per_s,
            load.replicas,
            load.max_replicas,
        )
        for name, load in sorted(loads.items())
        if load.slots > 0
    ]


def _arrivals_per_s(loads: Mapping[str, ModelLoad]) -> float:
    return round(sum(load.arrivals_per_s for load in loads.values()), 2)


def _fleet_model(name: str, sites: list[SiteStatus], in_cloud: bool) -> FleetModel:
    held = [
        HeldModel(site.name, site.state, one.in_flight, one.slots, one.service_ms, one.ready, one.arrivals_per_s)
        for site in sites
        for one in site.models
        if one.model == name
    ]
    return FleetModel(
        model=name,
        in_flight=sum(one.in_flight for one in held),
        slots=sum(one.slots for one in held),
        arrivals_per_s=round(sum(one.arrivals_per_s for one in held), 3),
        in_cloud=in_cloud,
        held_at=held,
    )
