"""One site's part in the swarm, put together; it lasts as long as its process, through every reload."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.swarm.breach import BreachWatch, Measures
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.records import Candidate
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


@dataclass(frozen=True, slots=True)
class OwnPart:
    """Who ranks for this site, what its decisions do, and who writes it all down."""

    voter: Voter
    effects: Effects
    recorder: RoundRecorder


class SiteRounds:
    """Made inside the event loop that runs it. `place`: its incarnation, higher with each start, and the store."""

    def __init__(
        self,
        controller: SiteController,
        rules: RoundRules,
        part: OwnPart,
        membership: SwarmMembership,
        place: tuple[int, SwarmStore],
        clock: Clock,
    ) -> None:
        self._controller = controller
        self._rules = rules
        self._part = part
        self._membership = membership
        self._clock = clock
        self._breaches = BreachWatch(rules.thresholds)
        incarnation, store = place
        own = controller.own.site.name
        self.driver = SwarmDriver(own, incarnation, StoreThreads(store), self._links(), clock)
        self._watch = self._new_watch()
        self._use()

    @property
    def rules(self) -> RoundRules:
        """Those in force: a reload may have replaced them."""
        return self._rules

    def attach(self, controller: SiteController, rules: RoundRules) -> None:
        """Go on with another configuration's controller."""
        self._controller = controller
        if rules.thresholds != self._rules.thresholds:
            self._breaches = BreachWatch(rules.thresholds)
        self._rules = rules
        self.driver.links = self._links()
        watch = self._new_watch()
        watch.inherit(self._watch)
        self._watch = watch
        self._use()

    @property
    def sample_s(self) -> float:
        return self._rules.policy.sample_ms / 1000.0

    @property
    def status(self) -> SwarmStatus:
        trouble = self.driver.trouble
        roster = self._membership.roster.sites
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
        self._membership.hand_over(self.driver.membership)
        self.driver.start()

    def sample(self) -> None:
        """Who belongs to the swarm, and whether this site breaches: to be called every `sample_s`."""
        self._membership.hand_over(self.driver.membership)
        self._watch.sample(self._controller.own)

    def propose(self, candidates: Sequence[Candidate], measures: Measures) -> bool:
        """Ask the swarm; False if it cannot be asked now."""
        self._part.recorder.measured(measures)
        return self.driver.breached(candidates)

    async def close(self) -> None:
        await self.driver.close()

    def _links(self) -> MemberLinks:
        return MemberLinks(
            self._controller.links.peers.tell,
            self._part.voter,
            self._known_loads().view,
            self._part.effects,
            self._part.recorder,
        )

    def _known_loads(self) -> KnownLoads:
        controller = self._controller
        return KnownLoads(controller.own, controller.neighbourhood, self._rules.policy.voting, self._clock)

    def _use(self) -> None:
        controller = self._controller
        controller.on_message = self._receive
        controller.on_asked = lambda model: self._watch.ask(self._controller.own, model)
        controller.on_replicas_asked = lambda model, replicas: self._watch.ask(self._controller.own, model, replicas)
        controller.exchange.tell_of_rounds(lambda: self.driver.newest, self._heard)
        controller.view.swarm = lambda: self.status

    def _new_watch(self) -> ThresholdWatch:
        return ThresholdWatch(
            self._breaches,
            self._known_loads(),
            self._rules.policy.cooldown_ms,
            self.propose,
            self._part.effects.breach_over,
            self.driver.since_change_ms,
            self._clock,
        )

    def _receive(self, message: Message) -> None:
        self.driver.receive(message)

    def _heard(self, beacon: Beacon) -> None:
        """Who missed an announcement learns of the outcome from the next beacon of anybody who knows it."""
        newest = beacon.newest
        if newest is not None and newest.sender == beacon.site and newest.fence > self.driver.known:
            self.driver.receive(newest)
