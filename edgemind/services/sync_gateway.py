"""A gateway worker's exchange with its site's controller: its load out, the table and the neighbours' beacons in.

Nothing here is needed to serve. With the controller gone the worker goes on with its last table, learns from its own
traffic, and after a while stops believing old suspicions.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from edgemind.domain.routing.table import RoutingTable
from edgemind.domain.site_documents import parse_joined
from edgemind.domain.wire import DocumentInvalid
from edgemind.errors import TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.inference import Upstream
from edgemind.services.audit.hand_over import DecisionsToKeep
from edgemind.services.gateway_stats import ArrivalRate, GatewayStats, RecentStats
from edgemind.services.recent_decisions import RecentDecisions, summarize
from edgemind.services.route_request import PeerReport, RequestRouter

SYNC_PATH = "/edgemind/v1/gateways/sync"
SUSPICION_KEPT_S = 5.0
"""How long after the last word of the controller a neighbour is still held to be down."""
DECISIONS_REPORTED = 20


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """`workers` are those of its own gateway. `admin` is where this one is asked, if not where the site declares."""

    site: str
    worker: int
    workers: int
    admin: str | None = None


class SyncRefused(TemporaryError):
    """The controller answered with an error; its message says why."""


class GatewaySync:
    """One worker's side. `exchange` does one round; the caller paces it and counts failures."""

    def __init__(
        self,
        identity: WorkerIdentity,
        router: RequestRouter,
        stats: GatewayStats,
        decisions: RecentDecisions,
        clock: Clock,
        controller_url: str,
        upstream: Upstream,
        site_token: str | None,
    ) -> None:
        self._identity = identity
        self.to_keep: DecisionsToKeep | None = None
        """Whose journal is kept by the controller sets it."""
        self._router = router
        self._stats = stats
        self._decisions = decisions
        self._clock = clock
        self._upstream = upstream
        self._rates = ArrivalRate()
        self._recent = RecentStats(stats)
        self._path = urlsplit(controller_url).path.rstrip("/") + SYNC_PATH
        self._host = urlsplit(controller_url).netloc
        self._token = site_token or ""
        self._joined_version = 0
        self.failures = 0
        self.last_error: str | None = None
        self.last_success_s: float | None = None
        self.site_workers = identity.workers
        """Workers of all gateways of the site, as the controller last counted them."""

    def renew(self, site_token: str | None) -> None:
        """After a reload."""
        self._token = site_token or ""

    def report(self, *, draining: bool) -> dict[str, Any]:
        """What the controller is told: this worker's load per local model, its demand, its counters."""
        now_s = self._clock.monotonic_s()
        self._rates.update(self._stats.arrivals, now_s)
        site = self._router.fleet.site(self._identity.site)
        models = {}
        for model in self._router.models:
            in_flight, slots, service_ms = self._router.own_load(model)
            models[model] = {
                "in_flight": in_flight,
                "slots": slots,
                "service_ms": service_ms,
                "arrivals_per_s": self._rates.per_s.get(model, 0.0),
                "ready": site is not None and model in site.models(),
            }
        admin = {} if self._identity.admin is None else {"admin": self._identity.admin}
        journal = self.to_keep.batch(self._clock.wall_ms()) if self.to_keep is not None else None
        return {
            "v": 1,
            **admin,
            "site": self._identity.site,
            "worker": self._identity.worker,
            "workers": self._identity.workers,
            "pid": os.getpid(),
            "draining": draining,
            "table_version": self._router.table.version,
            "joined_version": self._joined_version,
            "models": models,
            "stats": self._recent.report(now_s),
            **({} if journal is None else {"journal": journal}),
            "decisions": [summarize(record) for record in self._decisions.latest(DECISIONS_REPORTED)],
        }

    async def exchange(self, *, draining: bool) -> None:
        """One round trip. Raises TemporaryError if the controller cannot be reached or refuses."""
        body = orjson.dumps(self.report(draining=draining))
        head = (
            f"POST {self._path} HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: application/json\r\n"
            f"x-edgemind-site-token: {self._token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        response = await self._upstream.send(head.encode("latin-1"), body)
        told = await response.whole()
        if response.status != 200:
            raise SyncRefused(f"the controller answered {response.status}: {told[:200]!r}")
        self.apply(orjson.loads(told))
        self.last_success_s = self._clock.monotonic_s()
        self.last_error = None

    def apply(self, answer: Mapping[str, Any]) -> None:
        """Take the controller's answer into the router. Unknown fields are ignored: the other side may be newer."""
        closed: dict[str, str] = {}
        if self.to_keep is not None:
            self.to_keep.answered(answer)
        if answer.get("drain"):
            closed[self._identity.site] = "draining"
        for beacon in answer.get("beacons", ()):
            if beacon.get("draining"):
                closed[beacon["site"]] = "draining"
            elif beacon.get("suspected"):
                closed[beacon["site"]] = "suspected to be down"
            self._router.report_site(beacon["site"], _reports(beacon), beacon["age_ms"], beacon.get("rtt_ms"))
        self._router.close_sites(closed)
        for model, local in answer.get("local", {}).items():
            ready, replicas = local.get("ready", True), local.get("replicas", 1)
            self._router.report_local(model, local["in_flight"], ready=ready, replicas=replicas)
        # Never fewer than our own: some of them may not have reported yet.
        self.site_workers = max(self._identity.workers, answer.get("workers", 0))
        table = answer.get("table")
        if table is not None:
            self._router.use_table(RoutingTable(table["version"], table["computed_at_ms"], table["weights"]))
        if answer.get("joined") is not None:
            self._use_joined(answer["joined"])

    def _use_joined(self, document: object) -> None:
        try:
            joined = parse_joined(document)
        except DocumentInvalid as exc:
            raise SyncRefused(f"the controller told of sites that joined, unreadably: {exc}") from exc
        self._router.use_joined(joined.sites)
        self._joined_version = joined.version

    def failed(self, error: Exception) -> None:
        """Count a failed round; once the controller has been silent for long, let suspicions go."""
        self.failures += 1
        self.last_error = str(error)
        last_s = self.last_success_s
        if last_s is not None and self._clock.monotonic_s() - last_s > SUSPICION_KEPT_S:
            own_site = {self._identity.site}
            self._router.close_sites({site: why for site, why in self._router.closed.items() if site in own_site})


def _reports(beacon: Mapping[str, Any]) -> dict[str, PeerReport]:
    return {
        model: PeerReport(load["in_flight"], load["slots"], load["service_ms"], load.get("ready", True))
        for model, load in beacon.get("models", {}).items()
        if load.get("slots")
    }
