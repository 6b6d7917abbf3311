"""One site's controller, put together: every use case it serves, over the same view of the fleet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet import Fleet, Site
from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.membership import MembershipRule
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundSummary
from edgemind.domain.worker_reports import DecisionSummary
from edgemind.errors import PermanentError
from edgemind.ports.audit_journal import SiteAudit
from edgemind.ports.clock import Clock
from edgemind.ports.peers import CallCursor, DecisionCursor, Peers
from edgemind.ports.round_journal import RoundJournal
from edgemind.ports.site_servers import GatewayAdmin, ModelServerProbe
from edgemind.services.agent_calls import AgentCallFinder, AgentCallLog
from edgemind.services.answer_gateways import GatewayAnswers
from edgemind.services.audit.keep_decisions import DecisionKeeper
from edgemind.services.compute_table import TableComputer
from edgemind.services.decision_log import DecisionLog
from edgemind.services.exchange_beacons import BeaconExchange
from edgemind.services.find_decisions import DecisionFinder
from edgemind.services.fleet_view import FleetView
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.neighbourhood import Neighbourhood
from edgemind.services.own_site import OwnSite
from edgemind.services.probe_models import ModelServerChecks
from edgemind.services.receive_messages import MessageInbox
from edgemind.services.remember_drain import DrainMemory
from edgemind.services.rounds.find_rounds import RoundFinder

GONE_MS = 30_000.0
"""Silence after which a site is asked once a second only."""


@dataclass(frozen=True, slots=True)
class SiteLinks:
    """How a controller reaches everything outside its process."""

    peers: Peers
    admin: GatewayAdmin
    probe: ModelServerProbe
    inbox: MessageInbox
    journal: RoundJournal
    audit: SiteAudit


class SiteController:
    """`ports.peers.PeerSite`, and what the controller's loops and its API call. It lives on one event loop."""

    def __init__(
        self,
        fleet: Fleet,
        site: Site,
        policy: RoutingPolicy,
        links: SiteLinks,
        heartbeat: Heartbeat,
        drains: DrainMemory,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self.policy = policy
        self._drains = drains
        self.own = OwnSite(site, incarnation=clock.wall_ms(), clock=clock)
        rule = MembershipRule(stale_ms=policy.stale_site_ms, gone_ms=max(GONE_MS, 2 * policy.stale_site_ms))
        self.neighbourhood = Neighbourhood(fleet, site, rule, clock.monotonic_s(), self.own.incarnation)
        self.tables = TableComputer(site.name, policy.fill_ratio)
        self.log = DecisionLog()
        self.agent_calls = AgentCallLog(site.name, clock)
        self.links = links
        self._keeper = DecisionKeeper(site.name, links.audit)
        self.on_message: Callable[[Message], None] = _nobody_listens
        """Where messages of rounds go: whoever runs this site's rounds sets it."""
        self.on_asked: Callable[[str], None] = _nobody_decides
        """Who asks the swarm about a model of this site without a breach; set like `on_message`."""
        self.on_replicas_asked: Callable[[str, int], None] = _nobody_decides_on_replicas
        """Who asks the swarm for so many replicas of a model of this site; set like `on_message`."""
        self._put_together(heartbeat)

    def _put_together(self, heartbeat: Heartbeat) -> None:
        own, around, links, clock = self.own, self.neighbourhood, self.links, self._clock
        self.heartbeat = heartbeat
        self.exchange = BeaconExchange(own, around, links.peers, clock)
        self.checks = ModelServerChecks(own, around, links.probe, clock)
        self.gateways = GatewayAnswers(own, around, self.tables, self.log, self._keeper, clock)
        self.decisions = DecisionFinder(own, around, self.log, links.admin, links.peers, links.audit, clock)
        self.rounds = RoundFinder(links.journal, around, links.peers, clock)
        self.calls = AgentCallFinder(self.agent_calls, around, links.peers, clock)
        self.view = FleetView(own, around, self.tables, heartbeat, links.peers, clock)
        self.view.audit = lambda: links.audit.status

    def succeed(self, before: "SiteController") -> None:
        """Go on where another configuration's controller left off: reports, demand, drain, log and table stay."""
        self.own.inherit(before.own)
        self.log, self.agent_calls = before.log, before.agent_calls
        self._keeper = before._keeper
        self.on_message, self.on_asked = before.on_message, before.on_asked
        self.on_replicas_asked = before.on_replicas_asked
        self.neighbourhood.joined = before.neighbourhood.joined
        self.links.inbox.inherit(before.links.inbox)
        self.tables.latest = before.tables.latest
        self.neighbourhood.failed_over = before.neighbourhood.failed_over
        self.neighbourhood.suspicions = before.neighbourhood.suspicions
        for name, neighbour in self.neighbourhood.neighbours.items():
            known = before.neighbourhood.neighbours.get(name)
            if known is not None and known.site.controller_url == neighbour.site.controller_url:
                known.site = neighbour.site
                self.neighbourhood.neighbours[name] = known
        self.neighbourhood.know_members(())
        self._put_together(self.heartbeat)

    @property
    def audit(self) -> SiteAudit:
        """Where what happens here is kept to be provable; its `status` tells how it gets along."""
        return self.links.audit

    def wall_ms(self) -> int:
        return self._clock.wall_ms()

    def tick(self) -> None:
        """Smooth the demand and compute a table; none while it is still unknown who is there."""
        self.own.observe_arrivals()
        now_s = self._clock.monotonic_s()
        if self.neighbourhood.settled(now_s):
            loads = [self.own.site_load(), *self.neighbourhood.loads(now_s)]
            self.tables.compute(loads, self.neighbourhood.distances(), self._clock.wall_ms())

    def remember_drain(self) -> None:
        """Keep in the store whether this site is out of service; blocks for as long as the store does."""
        self._drains.sync(self.own)

    # PeerSite: what other controllers ask

    def receive_beacon(self, beacon: Beacon) -> Beacon:
        return self.exchange.receive(beacon)

    def own_status(self) -> SiteStatus:
        return self.view.own_site()

    def own_decisions(self, limit: int, before: DecisionCursor | None) -> Sequence[DecisionSummary]:
        return self.log.page(limit, before)

    async def explain_own(self, decision_id: str) -> Mapping[str, object] | None:
        return await self.decisions.explain_own(decision_id)

    def own_rounds(self, limit: int, before: Fence | None) -> Sequence[RoundSummary]:
        return self.rounds.own_rounds(limit, before)

    def own_round(self, fence: Fence) -> RoundRecord | None:
        return self.rounds.own_round(fence)

    def own_agent_calls(self, limit: int, before: CallCursor | None, fence: str | None) -> Sequence[AgentCall]:
        return self.agent_calls.page(limit, before, fence)

    def drain_own(self, draining: bool) -> None:
        self.own.drain_requested = draining

    def receive_message(self, message: Message) -> None:
        self.on_message(message)


def _nobody_listens(message: Message) -> None:
    """This site takes part in no rounds: to the others it is one that votes late."""


def _nobody_decides_on_replicas(model: str, replicas: int) -> None:
    _nobody_decides(model)


def _nobody_decides(model: str) -> None:
    raise PermanentError("this site takes part in no rounds: its controller's log says why")
