"""What one controller knows of the other sites: who is there, how loaded, how far away."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from edgemind.domain.beacons import Beacon, ModelLoad
from edgemind.domain.fleet import Fleet, Site
from edgemind.domain.membership import MembershipRule, PeerMembership, RoundTripEstimate, SiteState
from edgemind.domain.routing.distance import declared_rtt_ms, nearest_sites
from edgemind.domain.routing.overlay import Shift
from edgemind.domain.site_documents import JoinedSites
from edgemind.domain.suspicion import Rumours, Suspicions
from edgemind.domain.swarm.records import Fence

FAIL_OVER_HOLD_S = 10.0
"""How long a failed site that comes and goes is kept out: longer than it takes to open and decide the next round."""
WATCHERS = 4
"""Sites whose metrics tell whether a site is up: were it all others, a metro would have series by its square."""
BEACON_PEERS_LIMIT = 10
"""Beacons go to the nearest sites only: the others are too far to take a request that has a deadline."""


SILENCE_RATIO = 3.0
"""Who asks this site without being asked by it may pause for so many times the silence that makes others suspected: it
asks once a second only while it gets no answer."""


@dataclass(slots=True)
class Neighbour:
    """A site whose controller is asked for its beacon. `told` is the state that was last written to the log."""

    site: Site
    membership: PeerMembership
    round_trip: RoundTripEstimate
    beacon: Beacon | None = None
    beacon_s: float = 0.0
    told: SiteState = SiteState.ALIVE

    def take(self, beacon: Beacon, now_s: float, stale_s: float) -> None:
        """Keep the newest. One that seems older replaces a stale one: its controller's clock was set back meanwhile."""
        if beacon.supersedes(self.beacon) or now_s - self.beacon_s > stale_s:
            self.beacon = beacon
            self.beacon_s = now_s


@dataclass(slots=True)
class DeclaredSite:
    """A site without a controller: somebody else's servers, taken as declared except for whether they answer."""

    site: Site
    round_trip: RoundTripEstimate
    ready_models: dict[str, bool] = field(default_factory=dict)

    def loads(self) -> dict[str, ModelLoad]:
        loads = declared_loads(self.site)
        return {
            model: ModelLoad(load.in_flight, load.slots, load.service_ms, self.ready_models.get(model, True))
            for model, load in loads.items()
        }


@dataclass(frozen=True, slots=True)
class SiteLoad:
    """One site as the table sees it. `models` are those it holds or that devices ask it for.

    `shifts` say who takes what the site has too much of.
    """

    site: str
    models: Mapping[str, ModelLoad]
    draining: bool = False
    shifts: tuple[Shift, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedOver:
    """A site that a round took out of service. Nobody sends it anything before `until_s`, even if it answers again."""

    to: str
    fence: Fence
    until_s: float


class Neighbourhood:
    """The other sites of the metro by name. Times are monotonic seconds, passed in."""

    def __init__(
        self,
        fleet: Fleet,
        own: Site,
        rule: MembershipRule,
        now_s: float,
        incarnation: int,
        limit: int = BEACON_PEERS_LIMIT,
    ) -> None:
        self.fleet = fleet
        self.own = own
        self._stale_s = rule.stale_ms / 1000.0
        with_controller = [site for site in fleet.sites if site.controller_url and site.name != own.name]
        self.neighbours = {
            site.name: Neighbour(site, PeerMembership(rule, now_s), RoundTripEstimate(declared_rtt_ms(own, site)))
            for site in nearest_sites(own, fleet.sites, with_controller, limit)
        }
        self.watched = _watched(own, fleet, WATCHERS)
        """The sites that this one tells metrics of: of each tell the few that are nearest to it."""
        self.failed_over: dict[str, FailedOver] = {}
        self.declared = {
            site.name: DeclaredSite(site, RoundTripEstimate(declared_rtt_ms(own, site)))
            for site in fleet.sites
            if not site.controller_url and site.name != own.name
        }
        self.joined: JoinedSites | None = None
        """Sites of this fleet that no gateway has in its edgemind.yaml; None until the roster was read."""
        self._with_controller = tuple(site.name for site in with_controller)
        self._asked_s: dict[str, float] = {}
        """When those that are no neighbours last sent a beacon by themselves."""
        self.suspicions = Suspicions(own.name, incarnation, self._with_controller)

    def take_beacon(self, beacon: Beacon, now_s: float) -> bool:
        """A beacon by whichever way it came; False if its site is no neighbour of this one."""
        self.suspicions.hear(beacon.site, beacon.number, beacon.rumours)
        neighbour = self.neighbours.get(beacon.site)
        if neighbour is None:
            self._asked_s[beacon.site] = now_s
            return False
        neighbour.take(beacon, now_s, self._stale_s)
        return True

    def fail_over(self, site: str, to: str, fence: Fence, now_s: float) -> None:
        """A round decided it, whoever here still sees the site. Then its membership alone counts again."""
        held = self.failed_over.get(site)
        if held is None or held.fence < fence:
            self.failed_over[site] = FailedOver(to, fence, now_s + FAIL_OVER_HOLD_S)

    def failed_over_to(self, site: str, now_s: float) -> FailedOver | None:
        held = self.failed_over.get(site)
        return held if held is not None and held.until_s > now_s else None

    def answered(self, neighbour: Neighbour, beacon: Beacon, sent_s: float, now_s: float) -> None:
        """The answer to my own beacon: only that shows that requests would get there."""
        neighbour.membership.answered(now_s)
        neighbour.round_trip.observe((now_s - sent_s) * 1000.0)
        self.take_beacon(beacon, now_s)

    # Who is up, for the swarm: of the whole metro, not of neighbours only

    def know_members(self, roster: Iterable[str]) -> None:
        """Members that this configuration does not declare, too."""
        self.suspicions.know((*self._with_controller, *roster))

    def suspected(self, now_s: float) -> frozenset[str]:
        """Sites that it is no use waiting for."""
        self._observe(now_s)
        return self.suspicions.suspected()

    def rumours(self, to: str, now_s: float) -> Rumours:
        """What a beacon to that site says of who is up."""
        self._observe(now_s)
        return self.suspicions.rumours(to)

    def _observe(self, now_s: float) -> None:
        answering = {
            name: neighbour.membership.state(now_s) is SiteState.ALIVE for name, neighbour in self.neighbours.items()
        }
        oldest_s = now_s - SILENCE_RATIO * self._stale_s
        fell_silent = [site for site, asked_s in self._asked_s.items() if asked_s < oldest_s]
        for site in fell_silent:
            del self._asked_s[site]
        failing = sum(
            neighbour.membership.failing or not answering[name] for name, neighbour in self.neighbours.items()
        )
        self.suspicions.observe(answering, fell_silent, trusted=2 * failing <= len(answering))

    def settled(self, now_s: float) -> bool:
        """Every neighbour has answered or is suspected. Before that, "nobody is there" would be a guess."""
        return all(
            neighbour.membership.heard or neighbour.membership.state(now_s) is not SiteState.ALIVE
            for neighbour in self.neighbours.values()
        )

    def state(self, site: str, now_s: float) -> SiteState | None:
        """The state of a neighbour or declared site; None for the own site and for those too far for beacons."""
        if site in self.declared:
            return SiteState.DECLARED
        neighbour = self.neighbours.get(site)
        if neighbour is None:
            return None
        state = neighbour.membership.state(now_s)
        draining = neighbour.beacon is not None and neighbour.beacon.draining
        return SiteState.DRAINING if state is SiteState.ALIVE and draining else state

    def loads(self, now_s: float) -> Iterable[SiteLoad]:
        """The sites a table may use: neighbours that answer, and declared sites."""
        for name, neighbour in self.neighbours.items():
            if neighbour.beacon is not None and neighbour.membership.state(now_s) is SiteState.ALIVE:
                beacon, failed = neighbour.beacon, self.failed_over_to(name, now_s)
                if failed is None:
                    yield SiteLoad(name, beacon.models, beacon.draining, beacon.shifts)
                else:
                    # No capacity, and what its devices still ask it for is the taker's.
                    taken = tuple(Shift(model, failed.to, 100, failed.fence) for model in beacon.models)
                    yield SiteLoad(name, beacon.models, True, taken)
        for name, declared in self.declared.items():
            yield SiteLoad(name, declared.loads())

    def measured_rtt_ms(self) -> dict[str, float]:
        """My round trips to the others, where measured: what my beacon tells."""
        trips = [(name, neighbour.round_trip) for name, neighbour in self.neighbours.items()]
        trips += [(name, declared.round_trip) for name, declared in self.declared.items()]
        # Rounded here and not on the wire: my table must be filled from the very numbers that the others use for me.
        return {name: round(trip.ms, 2) for name, trip in trips if trip.measured}

    def distances(self) -> Callable[[str, str], float]:
        """Round trips between any two sites now: measured by the first, else by the second, else declared."""
        measured: dict[str, Mapping[str, float]] = {self.own.name: self.measured_rtt_ms()}
        for name, neighbour in self.neighbours.items():
            if neighbour.beacon is not None:
                measured[name] = neighbour.beacon.rtt_ms
        sites = {site.name: site for site in self.fleet.sites}

        def rtt_ms(ingress: str, site: str) -> float:
            if ingress == site:
                return 0.0
            there = measured.get(ingress, {}).get(site)
            back = measured.get(site, {}).get(ingress)
            if there is not None:
                return there
            return declared_rtt_ms(sites.get(ingress), sites.get(site)) if back is None else back

        return rtt_ms


def declared_loads(site: Site) -> dict[str, ModelLoad]:
    """Every model of a site as declared, idle; several servers of one model add up their slots."""
    loads: dict[str, ModelLoad] = {}
    for model in site.models():
        servers = [endpoint for endpoint in site.endpoints if endpoint.model == model]
        slots = sum(server.slots for server in servers)
        service_ms = sum(server.service_ms * server.slots for server in servers) / slots
        # The configuration lets only a model with a single server be scaled.
        loads[model] = ModelLoad(0, slots, service_ms, max_replicas=servers[0].max_replicas)
    return loads


def _watched(own: Site, fleet: Fleet, watchers: int) -> tuple[str, ...]:
    """The other sites among whose nearest `own` is."""
    with_controller = [site for site in fleet.sites if site.controller_url]
    found = []
    for site in with_controller:
        others = (one for one in with_controller if one.name != site.name)
        if own.name in {one.name for one in nearest_sites(site, fleet.sites, others, watchers)}:
            found.append(site.name)
    return tuple(found)
