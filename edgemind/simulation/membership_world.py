"""Sites that exchange beacons in virtual time, by the controllers' own code, and who suspects whom meanwhile."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from edgemind.adapters.peers.http import BEACON_TIMEOUT_S
from edgemind.domain.beacons import Beacon
from edgemind.domain.fleet import Site
from edgemind.domain.membership import MembershipRule
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.services.neighbourhood import Neighbour, Neighbourhood
from edgemind.simulation.clock import Action, VirtualClock
from edgemind.simulation.membership_fleet import metro_of


class Fault(StrEnum):
    """DIES: the process is gone, its host refuses. CUT_OFF: nothing gets through. DEAF, MUTE: one way only."""

    DIES = "dies"
    CUT_OFF = "cut_off"
    DEAF = "deaf"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class MembershipDelays:
    """In milliseconds. A hop is normal with a floor; `lost` is the share of messages, each way, that never arrive."""

    hop_ms: float = 4.0
    hop_sd_ms: float = 2.0
    hop_floor_ms: float = 0.5
    lost: float = 0.0
    interval_ms: float = RoutingPolicy().beacon_interval_ms
    timeout_ms: float = BEACON_TIMEOUT_S * 1000.0
    poll_ms: float = 20.0
    """How finely suspicions are seen: times are true to this."""


@dataclass(slots=True)
class Member:
    """One site's controller. `life` counts its starts: what an earlier one still had to do is not done."""

    site: Site
    around: Neighbourhood
    up: bool = True
    life: int = 1
    seq: int = 0
    suspects: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """`observer` began or ceased to suspect `site`."""

    at_ms: float
    observer: str
    site: str
    suspects: bool


@dataclass(slots=True)
class Call:
    """One beacon of a member to a neighbour; `over` once it was answered, refused or given up."""

    member: Member
    neighbour: Neighbour
    life: int
    sent_ms: float
    over: bool = False


class MembershipWorld:
    """A metro of `sites`, each of which asks its neighbours until the time given to `run`."""

    def __init__(self, sites: int, seed: int, delays: MembershipDelays) -> None:
        self.clock = VirtualClock()
        self.changes: list[Change] = []
        self._delays = delays
        self._rng = Random(f"{seed} beacons")
        self._fleet = metro_of(sites, Random(f"{seed} places"))
        self.members = {site.name: Member(site, self._view(site, life=1)) for site in self._fleet.sites}
        self._deaf: set[str] = set()
        self._mute: set[str] = set()
        self._end_ms = 0.0

    def run(self, until_ms: float) -> None:
        self._end_ms = until_ms
        for member in self.members.values():
            self._begin(member)
        self._poll()
        self.clock.run((), lambda _: None)

    def break_at(self, when_ms: float, fault: Fault, site: str, for_ms: float) -> None:
        self.clock.at(when_ms, self._break, fault, site)
        self.clock.at(when_ms + for_ms, self._heal, fault, site)

    def _poll(self) -> None:
        now_ms = self.clock.now_ms
        for name, member in self.members.items():
            suspects = member.around.suspected(self._now_s) if member.up else frozenset()
            for site in sorted(suspects ^ member.suspects):
                self.changes.append(Change(now_ms, name, site, site in suspects))
            member.suspects = suspects
        if now_ms < self._end_ms:
            self.clock.at(now_ms + self._delays.poll_ms, self._poll)

    # Faults

    def _break(self, fault: Fault, site: str) -> None:
        if fault is Fault.DIES:
            self.members[site].up = False
        if fault in {Fault.DEAF, Fault.CUT_OFF}:
            self._deaf.add(site)
        if fault in {Fault.MUTE, Fault.CUT_OFF}:
            self._mute.add(site)

    def _heal(self, fault: Fault, site: str) -> None:
        self._deaf.discard(site)
        self._mute.discard(site)
        if fault is Fault.DIES:
            member = self.members[site]
            member.life += 1
            member.up, member.around = True, self._view(member.site, member.life)
            self._begin(member)

    def _view(self, site: Site, life: int) -> Neighbourhood:
        return Neighbourhood(self._fleet, site, MembershipRule(), self._now_s, life)

    # Beacons: what `services/exchange_beacons.py` does, with messages in place of calls

    @property
    def _now_s(self) -> float:
        return self.clock.now_ms / 1000.0

    def _begin(self, member: Member) -> None:
        for neighbour in member.around.neighbours.values():
            first_ms = self.clock.now_ms + self._rng.random() * self._delays.interval_ms
            self.clock.at(first_ms, self._ask, member, neighbour, member.life)

    def _ask(self, member: Member, neighbour: Neighbour, life: int) -> None:
        if not member.up or member.life != life or self.clock.now_ms > self._end_ms:
            return
        call = Call(member, neighbour, life, self.clock.now_ms)
        self._travel(member.site.name, neighbour.site.name, self._arrive, call, self._beacon(member, neighbour.site))
        self.clock.at(self.clock.now_ms + self._delays.timeout_ms, self._ended, call, None, False)

    def _arrive(self, call: Call, beacon: Beacon) -> None:
        name = call.neighbour.site.name
        asked = self.members[name]
        if not asked.up:
            self._travel(name, beacon.site, self._ended, call, None, True)
            return
        asked.around.take_beacon(beacon, self._now_s)
        self._travel(name, beacon.site, self._ended, call, self._beacon(asked, call.member.site), False)

    def _ended(self, call: Call, answer: Beacon | None, refused: bool) -> None:
        member, neighbour = call.member, call.neighbour
        if call.over or member.life != call.life or not member.up:
            return
        call.over = True
        if answer is not None:
            member.around.answered(neighbour, answer, call.sent_ms / 1000.0, self._now_s)
        else:
            neighbour.membership.failed(refused=refused)
        next_ms = max(call.sent_ms + self._delays.interval_ms, self.clock.now_ms + 1.0)
        self.clock.at(next_ms, self._ask, member, neighbour, call.life)

    def _beacon(self, member: Member, to: Site) -> Beacon:
        member.seq += 1
        rumours = member.around.rumours(to.name, self._now_s)
        return Beacon(member.site.name, member.life, member.seq, rumours=rumours)

    def _travel(self, sender: str, to: str, arrive: Action, *arguments: object) -> None:
        delays, rng = self._delays, self._rng
        if sender in self._mute or to in self._deaf or rng.random() < delays.lost:
            return
        hop_ms = max(delays.hop_floor_ms, rng.gauss(delays.hop_ms, delays.hop_sd_ms))
        self.clock.at(self.clock.now_ms + hop_ms, arrive, *arguments)
