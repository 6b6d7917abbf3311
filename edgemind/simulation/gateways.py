"""One ingress's gateway and controller: what it believes of every site, and how it chooses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from edgemind.domain.fleet import ModelEndpoint, Site
from edgemind.domain.requests import Constraints, Demand
from edgemind.domain.routing.candidates import Candidate, CandidateSet, compile_candidates
from edgemind.domain.routing.cost import ServiceTimeEstimate
from edgemind.domain.routing.picker import Pick, Shed, pick
from edgemind.domain.routing.policies import Policy
from edgemind.domain.routing.table import Capacity, water_fill
from edgemind.simulation.parameters import RoutingParameters

from collections import deque
VARIANT={}
class LogC(Candidate):
    """exact log"""
    __slots__=("sends","backs","clock")
    def __init__(self,*a,**k):
        self.sends=deque(); self.backs=deque(); super().__init__(*a,**k)
    def sent(self):
        if self.rtt_ms: self.sends.append(VARIANT["clock"].now_ms)
        super().sent()
    def finished(self):
        if self.rtt_ms: self.backs.append(VARIANT["clock"].now_ms)
        super().finished()
    def report2(self,in_flight,slots,service_ms,written_ms):
        h=self.rtt_ms/2
        while self.sends and self.sends[0]<written_ms-h: self.sends.popleft()
        while self.backs and self.backs[0]<=written_ms+h+1e-9: self.backs.popleft()
        self.report(in_flight,slots,service_ms)
        self.delta=len(self.sends)-len(self.backs)
        self.refresh()
import os
TAU=float(os.environ.get("TAU","100")); SOFT=float(os.environ.get("SOFT","0"))
class EwmaC(LogC):
    __slots__=("others","at","raw")
    def __init__(self,*a,**k):
        self.others=0.0; self.at=0.0; super().__init__(*a,**k)
    def report2(self,in_flight,slots,service_ms,written_ms):
        super().report2(in_flight,slots,service_ms,written_ms)
        if not self.rtt_ms: return
        others=max(0,self.reported+self.delta-self.own)
        w=1-exp(-(written_ms-self.at)/TAU); self.at=written_ms
        self.others+=w*(others-self.others)
        self.reported=self.others+self.own-self.delta
        self.refresh()
    def refresh(self):
        if not SOFT: return super().refresh()
        load = self.reported + self.delta
        if load < self.own: load = self.own
        beyond = load + 1 - self.slots
        if self.rtt_ms:
            soft=SOFT*self.slots**.5
            beyond=(beyond+(beyond*beyond+soft*soft)**.5)/2
        expected_ms = self.rtt_ms + self.load_ms + self.service_ms
        if beyond > 0:
            expected_ms += beyond / self.slots * self.service_ms
        self.expected_ms = expected_ms
        if not self.fresh:
            expected_ms = float("inf")
        for costs_ms, position in self._views:
            costs_ms[position] = expected_ms
class LittleC(Candidate):
    __slots__=()
    def report2(self,in_flight,slots,service_ms,written_ms):
        share=max(0,1-self.rtt_ms/self.expected_ms)
        others=max(0.0,in_flight-self.own*share)
        self.report(in_flight,slots,service_ms)
        self.delta=others+self.own-in_flight
        self.refresh()
class PlainC(Candidate):
    __slots__=()
    def report2(self,in_flight,slots,service_ms,written_ms):
        self.report(in_flight,slots,service_ms)
MODEL = "simulated-detector"


@dataclass(frozen=True, slots=True)
class Beacon:
    """A site's load report, as it was when written."""

    site: int
    written_ms: float
    in_flight: int
    slots: int
    service_ms: float
    demand_per_s: float


class Gateway:
    """The view from one site. Everything it decides with is a domain object fed by what it sent and was told."""

    def __init__(
        self,
        index: int,
        names: Sequence[str],
        known: Sequence[int],
        rtt_ms: Sequence[Sequence[float]],
        slots: Sequence[int],
        service_ms: float,
        policy: Policy,
        routing: RoutingParameters,
    ) -> None:
        self.index = index
        self.name = names[index]
        self._names = names
        self._rtt_ms = rtt_ms
        self._policy = policy
        self._routing = routing
        self._constraints = Constraints(MODEL)
        self._demand = Demand(routing.deadline_ms)
        # Only sites that report here are candidates: a site never heard of would look idle.
        self.candidates = {
            j: VARIANT["cls"](
                names[j], _site(names[j], slots[j], service_ms), MODEL, slots[j], service_ms, rtt_ms[index][j]
            )
            for j in known
        }
        self.local = self.candidates[index]
        self.estimate = ServiceTimeEstimate(service_ms)
        self.written_ms = dict.fromkeys(known, 0.0)
        self._beacons: dict[int, Beacon] = {}
        self._arrived = 0
        self.demand_per_s = 0.0
        self.choices = self._compile({})

    def choose(self, draw: float) -> Pick | Shed:
        self._arrived += 1
        routing = self._routing
        return pick(
            self.choices,
            self._demand,
            self._policy,
            draw,
            margin_ms=routing.override_margin_ms,
            session_margin_ms=routing.session_margin_ms,
        )

    def measure_demand(self, elapsed_ms: float, window_ms: float) -> None:
        """Fold the arrivals since the last call into the decayed mean."""
        weight = 1 - exp(-elapsed_ms / window_ms)
        self.demand_per_s += weight * (self._arrived * 1000 / elapsed_ms - self.demand_per_s)
        self._arrived = 0

    def beacon(self, now_ms: float) -> Beacon:
        local = self.local
        return Beacon(self.index, now_ms, local.own, local.slots, self.estimate.ms, self.demand_per_s)

    def hear(self, beacon: Beacon) -> None:
        self._beacons[beacon.site] = beacon
        self.report(beacon.site, beacon.written_ms, beacon.in_flight, beacon.slots, beacon.service_ms)

    def report(self, site: int, written_ms: float, in_flight: int, slots: int, service_ms: float) -> None:
        """A beacon or a load header; one that was overtaken by a later one tells nothing."""
        if written_ms >= self.written_ms[site]:
            self.written_ms[site] = written_ms
            self.candidates[site].report2(in_flight, slots, service_ms, written_ms)

    def expire(self, now_ms: float) -> None:
        """Reports older than `fresh_ms` are no longer compared. The own site is always known."""
        for j, candidate in self.candidates.items():
            fresh = j == self.index or now_ms - self.written_ms[j] <= self._routing.fresh_ms
            if fresh != candidate.fresh:
                candidate.fresh = fresh
                candidate.refresh()

    def compute_table(self, now_ms: float) -> None:
        """The controller's tick: water-fill what the beacons told and take this ingress's row."""
        beacons = [self.beacon(now_ms), *self._beacons.values()]
        index_of = {self._names[beacon.site]: beacon.site for beacon in beacons}
        table = water_fill(
            {self._names[beacon.site]: beacon.demand_per_s for beacon in beacons},
            [Capacity(self._names[beacon.site], beacon.slots, beacon.service_ms) for beacon in beacons],
            lambda i, j: self._rtt_ms[index_of[i]][index_of[j]],
            self._routing.fill_ratio,
        )
        self.choices = self._compile(table[self.name])

    def _compile(self, weights: Mapping[str, float]) -> CandidateSet:
        for candidate in self.candidates.values():
            candidate.forget_views()
        return compile_candidates(self.candidates.values(), self._constraints, self.name, weights)


def _site(name: str, slots: int, service_ms: float) -> Site:
    endpoint = ModelEndpoint(MODEL, f"http://{name}.invalid/v1", slots, service_ms)
    return Site(name, frozenset({"metro"}), (endpoint,))
