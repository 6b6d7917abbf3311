"""One fleet, one policy, one seed: every part put together and run until the last request is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from edgemind.domain.requests import Demand
from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.picker import Shed
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.faults import Faults, plan_faults
from edgemind.simulation.gateways import Beacon, Gateway, Report, site_name
from edgemind.simulation.network import RttMs, by_distance, place_sites
from edgemind.simulation.outcomes import Outcomes
from edgemind.simulation.parameters import Parameters
from edgemind.simulation.policies import CHOOSERS, ORACLE, Surroundings
from edgemind.simulation.stations import Station
from edgemind.simulation.truth import Truth
from edgemind.simulation.workload import Request, arrivals, normal_rates_per_s


@dataclass(frozen=True, slots=True)
class Scene:
    """What is the same for every policy: the sites, the faults and the requests that a seed gives."""

    parameters: Parameters
    seed: int
    rtt_ms: RttMs
    slots: Sequence[int]
    faults: Faults
    requests: Sequence[Request]

    def service_ms_at(self, site: int, now_ms: float) -> float:
        return self.parameters.work.service_ms * self.faults.brownout.factor_at(site, now_ms)


def set_scene(parameters: Parameters, sites: int, seed: int) -> Scene:
    rng = Random(f"{seed} scene")
    fleet, load, work = parameters.fleet, parameters.load, parameters.work
    rtt_ms = place_sites(sites, fleet.rtt_min_ms, fleet.rtt_max_ms, rng)
    slots = [rng.choice(fleet.slots) for _ in range(sites)]
    faults = plan_faults(parameters, rtt_ms, rng)
    rates_per_s = normal_rates_per_s(load, slots, work.service_ms, faults.flash_crowd, rng)
    requests = arrivals(rates_per_s, faults.flash_crowd, load.duration_s * 1000, work, seed)
    return Scene(parameters, seed, rtt_ms, slots, faults, requests)


class World:
    """The fleet under one policy. `sent` counts requests by (ingress, site), for whoever asks where they went."""

    def __init__(self, scene: Scene, policy: str, staleness_ms: float) -> None:
        self._scene = scene
        self._staleness_ms = staleness_ms
        self._clock = VirtualClock()
        self._truth = Truth(scene.rtt_ms, scene.slots, scene.service_ms_at)
        self._neighbours = _neighbourhoods(scene)
        sites = range(len(scene.slots))
        self._stations = [Station(self._clock, scene.slots[j], partial(scene.service_ms_at, j)) for j in sites]
        self._gateways = [self._gateway(policy, site) for site in sites]
        self._site_of = {site_name(site): site for site in sites}
        self._outcomes = Outcomes()
        self._warm_ms = scene.parameters.load.warm_up_s * 1000
        self._end_ms = scene.parameters.load.duration_s * 1000
        self.sent = {(ingress, site): 0 for ingress in sites for site in sites}
        self._schedule_signals()

    def run(self) -> Outcomes:
        clock = self._clock
        clock.run(((request.sent_ms, request) for request in self._scene.requests), self._arrive)
        return self._outcomes

    def _gateway(self, policy: str, site: int) -> Gateway:
        scene = self._scene
        work, routing = scene.parameters.work, scene.parameters.routing
        rng = Random(f"{scene.seed} chooser {site}")
        chooser = CHOOSERS[policy](Surroundings(site, Demand(work.deadline_ms), routing, rng, self._truth))
        # The oracle may send anywhere; everybody else to those that report to them.
        known = range(len(scene.slots)) if policy == ORACLE else self._neighbours[site]
        return Gateway(site, known, scene.rtt_ms, scene.slots, work.service_ms, chooser, routing)

    # Signals

    def _schedule_signals(self) -> None:
        routing, brownout = self._scene.parameters.routing, self._scene.faults.brownout
        rng = Random(f"{self._scene.seed} phases")
        for site in range(len(self._gateways)):
            # Processes start when they start: nobody's beacons and ticks are in step with anybody's.
            self._clock.at(rng.random() * routing.beacon_interval_ms, self._beat, site)
            self._clock.at(rng.random() * routing.tick_ms, self._tick, site)
        for site in brownout.sites:
            self._clock.at(brownout.start_ms, self._truth.refresh, site, brownout.start_ms)
            self._clock.at(brownout.end_ms, self._truth.refresh, site, brownout.end_ms)

    def _beat(self, site: int) -> None:
        now_ms, interval_ms = self._clock.now_ms, self._scene.parameters.routing.beacon_interval_ms
        beacon = self._gateways[site].beat(now_ms, interval_ms)
        self._clock.at(now_ms + self._staleness_ms, self._deliver, beacon)
        if now_ms < self._end_ms:
            self._clock.at(now_ms + interval_ms, self._beat, site)

    def _deliver(self, beacon: Beacon) -> None:
        now_ms, sender = self._clock.now_ms, beacon.load.site
        for site in self._neighbours[sender]:
            if site != sender:
                self._gateways[site].hear(beacon, now_ms)

    def _tick(self, site: int) -> None:
        now_ms = self._clock.now_ms
        self._gateways[site].compute_table(now_ms)
        if now_ms < self._end_ms:
            self._clock.at(now_ms + self._scene.parameters.routing.tick_ms, self._tick, site)

    # The way of a request: arrive -> (reach) -> served -> (return)

    def _arrive(self, request: Request) -> None:
        ingress = request.ingress
        choice = self._gateways[ingress].choose(request.draw)
        if isinstance(choice, Shed):
            if request.sent_ms >= self._warm_ms:
                self._outcomes.shed(in_flash=self._in_flash(request))
            return
        candidate = choice[0]
        site = self._site_of[candidate.key]
        self.sent[ingress, site] += 1
        self._truth.sent(site, request.sent_ms)
        if site == ingress:
            self._reach(request, site, candidate)
        else:
            candidate.sent()
            self._clock.at(request.sent_ms + candidate.rtt_ms / 2, self._reach, request, site, candidate)

    def _reach(self, request: Request, site: int, candidate: Candidate) -> None:
        """At the site's gateway, which passes its own and its neighbours' requests to one model server."""
        local = self._gateways[site].local
        in_flight_at_send = local.in_flight
        local.sent()
        arguments = (request, site, candidate, self._clock.now_ms, in_flight_at_send)
        self._stations[site].take(request.work, self._served, *arguments)

    def _served(
        self, request: Request, site: int, candidate: Candidate, reached_ms: float, in_flight_at_send: float
    ) -> None:
        now_ms, gateway = self._clock.now_ms, self._gateways[site]
        self._truth.finished(site, now_ms)
        gateway.served(now_ms - reached_ms, in_flight_at_send)
        if site == request.ingress:
            self._answered(request, candidate)
        else:
            self._clock.at(now_ms + candidate.rtt_ms / 2, self._return, request, candidate, gateway.load(now_ms))

    def _return(self, request: Request, candidate: Candidate, load_header: Report) -> None:
        candidate.finished()
        self._gateways[request.ingress].note(load_header, self._clock.now_ms)
        self._answered(request, candidate)

    def _answered(self, request: Request, candidate: Candidate) -> None:
        now_ms = self._clock.now_ms
        latency_ms = now_ms - request.sent_ms
        self._gateways[request.ingress].chooser.answered(candidate, latency_ms, now_ms)
        if request.sent_ms >= self._warm_ms:
            self._outcomes.answered(latency_ms, in_flash=self._in_flash(request))

    def _in_flash(self, request: Request) -> bool:
        crowd = self._scene.faults.flash_crowd
        return crowd.start_ms <= request.sent_ms < crowd.end_ms


def _neighbourhoods(scene: Scene) -> list[list[int]]:
    """Whom each site hears, itself included. Beacons are exchanged: those that count it among their nearest, too."""
    sites = range(len(scene.slots))
    reach = scene.parameters.fleet.neighbours + 1
    nearest = [set(by_distance(scene.rtt_ms, site)[:reach]) for site in sites]
    return [[other for other in sites if other in nearest[site] or site in nearest[other]] for site in sites]
