"""One site's part in the swarm, put together; it lasts as long as its process, through every reload."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.swarm.breach import BreachWatch, Measures
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.records import Candidate
from edgemind.domain.swarm.roster import RosterMember
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.ports.clock import Clock
from edgemind.ports.swarm_store import SwarmStore
from edgemind.ports.voter import Voter
from edgemind.services.rounds.loads import KnownLoads
from edgemind.services.rounds.member_links import Effects, MemberLinks
from edgemind.services.rounds.membership import SwarmMembership
from edgemind.services.rounds.store_calls import StoreThreads
from edgemind.services.rounds.swarm_driver import SwarmDriver
from edgemind.services.rounds.watch_thresholds import ThresholdWatch
from edgemind.services.site_controller import SiteController


@dataclass(frozen=True, slots=True)
class RoundRules:
    """What the configuration says of rounds."""

    policy: SwarmPolicy
    thresholds: Thresholds


class SiteRounds:
    """Made inside the event loop that runs it. `incarnation` is higher with each start of the process."""

    def __init__(
        self,
        controller: SiteController,
        rules: RoundRules,
        incarnation: int,
        store: SwarmStore,
        voter: Voter,
        effects: Effects,
        recorder: RoundRecorder,
        clock: Clock,
    ) -> None:
        self._controller = controller
        self._rules = rules
        self._voter = voter
        self._effects = effects
        self._roster: tuple[str, ...] = ()
        self._clock = clock
        self._recorder = recorder
        own = controller.own.site.name
        self._breaches = BreachWatch(rules.thresholds)
        self.driver = SwarmDriver(own, incarnation, StoreThreads(store), self._links(), clock)
        self.membership = SwarmMembership(own, store, self._declared, self._suspected)
        self._use()

    def attach(self, controller: SiteController, rules: RoundRules) -> None:
        """Go on with another configuration's controller."""
        self._controller = controller
        if rules.thresholds != self._rules.thresholds:
            self._breaches = BreachWatch(rules.thresholds)
        self._rules = rules
        self._roster = ()
        self.driver.links = self._links()
        self._use()

    @property
    def sample_s(self) -> float:
        return self._rules.policy.sample_ms / 1000.0

    @property
    def status(self) -> SwarmStatus:
        trouble = self.driver.trouble
        roster = self.membership.roster.sites
        return SwarmStatus(
            known=str(self.driver.known),
            member=self._controller.own.site.name in roster,
            roster=list(roster),
            store_ok=trouble is None,
            store_ms=round(self.driver.store_ms, 2),
            last_error=trouble.why if trouble else None,
            messages_lost=self.driver.unheard,
        )

    def start(self) -> None:
        self.membership.hand_over(self._take_membership)
        self.driver.start()

    def sample(self) -> None:
        """Who belongs to the swarm, and whether this site breaches: to be called every `sample_s`."""
        self.membership.hand_over(self._take_membership)
        self._watch.sample(self._controller.own)

    def propose(self, candidates: Sequence[Candidate], measures: Measures) -> None:
        """Ask the swarm."""
        self._recorder.measured(measures)
        self.driver.breached(candidates)

    async def close(self) -> None:
        await self.driver.close()

    def _links(self) -> MemberLinks:
        return MemberLinks(
            self._controller.links.peers.tell, self._voter, self._known_loads().view, self._effects, self._recorder
        )

    def _known_loads(self) -> KnownLoads:
        controller = self._controller
        return KnownLoads(controller.own, controller.neighbourhood, self._rules.policy.voting, self._clock)

    def _use(self) -> None:
        controller = self._controller
        controller.on_message = self._receive
        controller.exchange.tell_of_rounds(lambda: self.driver.newest, self._heard)
        controller.view.swarm = lambda: self.status
        self._watch = ThresholdWatch(
            self._breaches,
            self._known_loads(),
            self._rules.policy.cooldown_ms,
            self.propose,
            self._effects.breach_over,
            self._clock,
        )

    def _take_membership(self, roster: tuple[str, ...], suspected: frozenset[str]) -> None:
        if roster != self._roster:
            self._roster = roster
            self._controller.neighbourhood.know_members(roster)
        self.driver.membership(roster, suspected)

    def _receive(self, message: Message) -> None:
        self.driver.receive(message)

    def _heard(self, beacon: Beacon) -> None:
        """Who missed an announcement learns of the outcome from the next beacon of anybody who knows it."""
        if beacon.newest is not None and beacon.newest.fence > self.driver.known:
            self.driver.receive(beacon.newest)

    def _declared(self) -> list[RosterMember]:
        sites = self._controller.neighbourhood.fleet.sites
        return [RosterMember(site.name, site.controller_url) for site in sites if site.controller_url]

    def _suspected(self) -> frozenset[str]:
        return self._controller.neighbourhood.suspected(self._clock.monotonic_s())
