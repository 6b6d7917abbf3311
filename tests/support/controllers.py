"""A metro of controllers in one process, on a clock that a test moves; what a test does not ask for does nothing."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edgemind.adapters.audit_journal.memory import MemoryAuditJournal
from edgemind.adapters.peers.in_process import InProcessPeers
from edgemind.adapters.round_journal.memory import MemoryRoundJournal
from edgemind.adapters.state_store.memory import MemoryStateStore
from edgemind.domain.fleet import Fleet, ModelEndpoint, Site
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.envelopes import MessageGate
from edgemind.domain.swarm.signing import FleetKeys
from edgemind.domain.worker_reports import WorkerReport, parse_worker_report
from edgemind.errors import UpstreamFailed
from edgemind.ports.peers import PeerSite
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.receive_messages import MessageInbox
from edgemind.services.register_site import RegisterSite, SiteAddress
from edgemind.services.remember_drain import DrainMemory
from edgemind.services.site_controller import SiteController, SiteLinks
from tests.support.clocks import ManualClock

SECRET = "between-sites"


def site(
    name: str,
    *models: str,
    controller: bool = True,
    slots: int = 4,
    service_ms: float = 10.0,
    max_replicas: int = 1,
) -> Site:
    """A site that holds `models`; without a controller it is somebody else's servers."""
    endpoints = tuple(
        ModelEndpoint(model, f"http://{name}:9000/v1", slots, service_ms, max_replicas=max_replicas)
        for model in models or ("detector",)
    )
    ours = Site(name, frozenset({"local"}), endpoints)
    if not controller:
        return ours
    return replace(
        ours, gateway_url=f"http://{name}:8100", admin_url=f"http://{name}:8300", controller_url=f"http://{name}:8200"
    )


def metro(*sites: Site, cloud: Site | None = None) -> Fleet:
    return Fleet("test", sites, cloud)


def report_document(site_name: str, worker: int = 0, **changes: Any) -> dict[str, Any]:
    """A gateway worker's report as it is on the wire, with one model."""
    load = {"in_flight": 0, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 0.0, "ready": True}
    return {
        "v": 1, "site": site_name, "worker": worker, "workers": 1, "pid": 1, "draining": False, "table_version": 0,
        "models": {"detector": load}, "stats": {}, "decisions": [], **changes,
    }  # fmt: skip


def report(site_name: str, worker: int = 0, **changes: Any) -> WorkerReport:
    return parse_worker_report(report_document(site_name, worker, **changes))


def decision_document(decision_id: str, at_ms: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": decision_id, "at_ms": at_ms, "model": "detector", "tenant": "demo", "site": "site-a", "reason": "table",
        "predicted_ms": 10.0, "actual_ms": 11.0, "status": 200, **changes,
    }  # fmt: skip


class FakeAdmin:
    """`GatewayAdmin`: explanations by (worker, id), or (its address, id) if it told one; None: it cannot be asked."""

    def __init__(self, explanations: Mapping[tuple[int | str, str], Mapping[str, object] | None] | None = None) -> None:
        self.explanations = dict(explanations or {})

    async def explain(self, worker: int, decision_id: str, admin: str | None = None) -> Mapping[str, object] | None:
        place = (admin or worker, decision_id)
        if place not in self.explanations:
            return None
        found = self.explanations[place]
        if found is None:
            raise UpstreamFailed("the worker is gone")
        return found


class FakeProbe:
    """`ModelServerProbe`: what each address answers; an exception is raised, and whatever is not listed is ready."""

    def __init__(self) -> None:
        self.answers: dict[str, bool | Exception] = {}
        self.asked: list[tuple[str, str | None]] = []

    async def ready(self, base_url: str, key: str | None) -> bool:
        self.asked.append((base_url, key))
        answer = self.answers.get(base_url, True)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Metro:
    """Controllers by site name. Take one out of `running` and nobody listens there any more."""

    def __init__(self, fleet: Fleet, policy: RoutingPolicy | None = None, clock: ManualClock | None = None) -> None:
        self.fleet = fleet
        self.policy = policy or RoutingPolicy()
        self.clock = clock or ManualClock()
        self.store = MemoryStateStore()
        self.running: dict[str, PeerSite] = {}
        self.admins = {one.name: FakeAdmin() for one in fleet.sites}
        self.journals = {one.name: MemoryRoundJournal() for one in fleet.sites}
        self.audits = {one.name: MemoryAuditJournal() for one in fleet.sites}
        self.probe = FakeProbe()
        self.controllers = {one.name: self.start(one.name) for one in fleet.sites if one.controller_url}

    def start(self, name: str) -> SiteController:
        """A controller of this site; a second one is what a restarted process is."""
        own = self.fleet.site(name)
        assert own is not None
        address = SiteAddress(name, own.controller_url or "", own.gateway_url, "0.1.0")
        heartbeat = Heartbeat(RegisterSite(self.store, self.clock, address), self.clock)
        inbox = MessageInbox(FleetKeys([SECRET]), MessageGate(self.fleet.metro, name, self._sites))
        links = SiteLinks(
            InProcessPeers(self.running), self.admins[name], self.probe, inbox, self.journals[name], self.audits[name]
        )
        drains = DrainMemory(self.store, own.name, self.clock)
        controller = SiteController(self.fleet, own, self.policy, links, heartbeat, drains, self.clock)
        self.running[name] = controller
        return controller

    def _sites(self) -> list[str]:
        return [one.name for one in self.fleet.sites]

    def beacons(self, *names: str) -> None:
        """One round: the named sites (all that run, if none is named) send a beacon to each neighbour."""

        asyncio.run(self.exchange(*names))

    async def exchange(self, *names: str) -> None:
        """The same, on a loop that runs."""
        for name in names or list(self.running):
            controller = self.controllers[name]
            for neighbour in controller.neighbourhood.neighbours.values():
                await controller.exchange.exchange(neighbour)

    def rounds(self, count: int) -> None:
        """Beacons and ticks ten times a second, as the processes do."""
        for _ in range(count):
            self.clock.advance(0.1)
            self.beacons()
            for name in self.running:
                self.controllers[name].tick()
