"""One site's gateway and controller: what they were told, what they believe, what they decide with it.

Everything that decides is the domain's: candidates, the compiled set, the estimates, the table.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgemind.domain.arrivals import DecayedArrivals
from edgemind.domain.fleet import ModelEndpoint, Site
from edgemind.domain.requests import Constraints
from edgemind.domain.routing.candidates import Candidate, CandidateSet, compile_candidates
from edgemind.domain.routing.cost import ServiceTimeEstimate
from edgemind.domain.routing.picker import Pick, Shed
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.routing.table import Capacity, water_fill
from edgemind.simulation.policies import Chooser

MODEL = "simulated-detector"


@dataclass(frozen=True, slots=True)
class Report:
    """What a site says of itself, in a load header or a beacon, as it was when written."""

    site: int
    written_ms: float
    in_flight: float
    slots: int
    service_ms: float


@dataclass(frozen=True, slots=True)
class Beacon:
    load: Report
    demand_per_s: float


def site_name(index: int) -> str:
    return f"site-{index:02}"


class Gateway:
    """The view from one site. `candidates` are the sites that it exchanges beacons with, and its own.

    A site never heard of is not a candidate: it would look idle to every policy that has no table.
    """

    def __init__(
        self, index: int, known: Sequence[int], rtt_ms: Sequence[Sequence[float]], slots: Sequence[int],
        service_ms: float, chooser: Chooser, routing: RoutingPolicy,
    ) -> None:  # fmt: skip
        self.index = index
        self.chooser = chooser
        self.candidates = {site: _candidate(site, slots[site], service_ms, rtt_ms[index][site]) for site in known}
        self.local = self.candidates[index]
        self._rtt_ms = rtt_ms
        self._routing = routing
        self._heard_ms = dict.fromkeys(known, -math.inf)
        self._beacons: dict[int, Beacon] = {}
        self._estimate = ServiceTimeEstimate(service_ms)
        self._demand = DecayedArrivals(0.0)
        self._arrived = 0
        self._compile({})

    def choose(self, draw: float) -> Pick | Shed:
        self._arrived += 1
        return self.chooser.choose(self._choices, draw)

    def served(self, elapsed_ms: float, in_flight_at_send: float) -> None:
        """The own site's model server answered; only its elapsed time can be seen, waiting included."""
        self._estimate.observe(elapsed_ms, in_flight_at_send, self.local.slots)
        self.local.finished()

    def load(self, now_ms: float) -> Report:
        local = self.local
        return Report(self.index, now_ms, local.in_flight, local.slots, local.service_ms)

    def beat(self, now_ms: float, elapsed_ms: float) -> Beacon:
        """Ten times a second: publish what was measured, age what was heard, and say it."""
        self.local.measured(0.0, self._estimate.ms, self.local.slots)
        self._demand.observe(now_ms / 1000, {MODEL: self._arrived * 1000 / elapsed_ms})
        self._arrived = 0
        oldest_ms = now_ms - self._routing.fresh_ms
        for site, candidate in self.candidates.items():
            fresh = site == self.index or self._heard_ms[site] >= oldest_ms
            if fresh != candidate.fresh:
                candidate.fresh = fresh
                candidate.refresh()
        return Beacon(self.load(now_ms), self._demand.per_s(MODEL))

    def hear(self, beacon: Beacon, now_ms: float) -> None:
        self._beacons[beacon.load.site] = beacon
        self.note(beacon.load, now_ms)

    def note(self, load: Report, now_ms: float) -> None:
        """A report by whichever way it came. Sites share no clock: it is as young as the moment it is heard."""
        self._heard_ms[load.site] = now_ms
        self.candidates[load.site].report(load.in_flight, load.slots, load.service_ms)

    def compute_table(self, now_ms: float) -> None:
        """The controller's tick: water-fill what the beacons tell of the neighbourhood and take this ingress's row."""
        own = Beacon(self.load(now_ms), self._demand.per_s(MODEL))
        beacons = {site_name(beacon.load.site): beacon for beacon in (own, *self._beacons.values())}
        shares = water_fill(
            {name: beacon.demand_per_s for name, beacon in beacons.items()},
            [Capacity(name, beacon.load.slots, beacon.load.service_ms) for name, beacon in beacons.items()],
            self._distance(beacons),
            self._routing.fill_ratio,
        )
        self._compile(shares[site_name(self.index)])

    def _distance(self, beacons: Mapping[str, Beacon]) -> Callable[[str, str], float]:
        rtt_ms = self._rtt_ms
        return lambda one, other: rtt_ms[beacons[one].load.site][beacons[other].load.site]

    def _compile(self, weights: Mapping[str, float]) -> None:
        for candidate in self.candidates.values():
            candidate.forget_views()
        self._choices: CandidateSet = compile_candidates(
            self.candidates.values(), Constraints(MODEL), site_name(self.index), weights
        )


def _candidate(index: int, slots: int, service_ms: float, rtt_ms: float) -> Candidate:
    name = site_name(index)
    endpoint = ModelEndpoint(MODEL, f"http://{name}.invalid/v1", slots, service_ms)
    return Candidate(name, Site(name, frozenset(), (endpoint,)), MODEL, slots, service_ms, rtt_ms)
