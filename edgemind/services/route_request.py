"""Where one gateway worker decides: its candidates, what it knows of them, and the pick for each request.

Load comes in from beacons and load headers, tables from the controller, outcomes from the relay; every change lands in
the candidates, so that deciding only compares numbers that are already there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from edgemind.domain.fleet import Fleet, Site
from edgemind.domain.requests import Constraints, Demand, Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet, compile_candidates
from edgemind.domain.routing.health import Circuit, EjectionRule, UpstreamHealth
from edgemind.domain.routing.picker import Pick, Shed, pick, pick_other
from edgemind.domain.routing.policies import POLICIES
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.routing.table import RoutingTable
from edgemind.ports.clock import Clock
from edgemind.services.targets import Target, declared_targets

LEAST_SERVICE_MS = 0.01
"""The least that can be declared, too; a round trip declared too long must not make a service time negative."""
COMPILED_SETS_LIMIT = 1024
"""Compiled sets kept; constraints come from clients, so their number must not grow with their imagination."""


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What a beacon says of one model at one site."""

    in_flight: float
    slots: int
    service_ms: float
    ready: bool


class RequestRouter:
    """One worker's view of the fleet. Not thread-safe: it lives on one event loop."""

    def __init__(self, fleet: Fleet, ingress: str, policy: RoutingPolicy, clock: Clock, rng: Random) -> None:
        self.ingress = ingress
        self.table = RoutingTable(0, 0, {})
        self.targets: dict[str, Target] = {}
        self.closed: dict[str, str] = {}
        self._clock = clock
        self._rng = rng
        self._sets: dict[Constraints, CandidateSet] = {}
        self._by_model: dict[str, list[Candidate]] = {}
        self._report_s: dict[str, float] = {}
        self._rule = EjectionRule()
        self._unsettled: set[str] = set()
        self._joined: tuple[Site, ...] = ()
        self.replace_fleet(fleet, policy)

    def replace_fleet(self, fleet: Fleet, policy: RoutingPolicy) -> None:
        """Take a new configuration; candidates that stay keep what is known of them."""
        self._declared = fleet
        self.fleet = fleet = fleet.with_sites(self._joined)
        self.policy = policy
        self._choose = POLICIES[policy.policy]
        known = self.targets
        targets = {target.candidate.key: target for target in declared_targets(fleet, self.ingress, self._rule)}
        for key, target in targets.items():
            old = known.get(key)
            if old is not None and old.key == target.key and old.base_url == target.base_url:
                _redeclare(old, target.candidate)
                targets[key] = old
        self.targets = targets
        self.models = fleet.models()
        self._by_model = {}
        for target in targets.values():
            self._by_model.setdefault(target.candidate.model, []).append(target.candidate)
        self.recompile()

    def use_joined(self, sites: tuple[Site, ...]) -> None:
        """Sites that joined since the configuration was written, in place of those told before."""
        self._joined = sites
        self.replace_fleet(self._declared, self.policy)

    # Deciding

    def candidates(self, constraints: Constraints) -> CandidateSet:
        compiled = self._sets.get(constraints)
        if compiled is None:
            if len(self._sets) >= COMPILED_SETS_LIMIT:
                self.recompile()
            compiled = self._sets[constraints] = compile_candidates(
                self._by_model.get(constraints.model, ()),
                constraints,
                self.ingress,
                self.table.weights.get(constraints.model, {}),
                self.closed,
            )
        return compiled

    def knows(self, model: str) -> bool:
        return model in self._by_model

    def is_served(self, model: str) -> bool:
        """Whether anybody could take a request for the model now."""
        return any(
            candidate.ready and candidate.available and candidate.site.name not in self.closed
            for candidate in self._by_model.get(model, ())
        )

    def decide(self, candidates: CandidateSet, demand: Demand) -> Pick | Shed:
        policy = self.policy
        return pick(
            candidates,
            demand,
            self._choose,
            self._rng.random(),
            margin_ms=policy.override_margin_ms,
            session_margin_ms=policy.session_margin_ms,
        )

    def decide_again(self, constraints: Constraints, demand: Demand, tried: Candidate) -> Pick | None:
        """Another candidate for a request whose first one failed before its first byte, if one can still be in time."""
        other = pick_other(self.candidates(constraints), demand, tried)
        return None if other is None else (other, Reason.RETRY)

    # What happened to a request

    def sent(self, candidate: Candidate) -> None:
        candidate.sent()
        health = self.targets[candidate.key].health
        if health.circuit is not Circuit.CLOSED:
            health.picked()
            self._show_health(candidate, health)

    def succeeded(self, candidate: Candidate, elapsed_ms: float | None, in_flight_at_send: float) -> None:
        """A whole answer. For upstreams reached directly the elapsed time is a measurement of the service time.

        None when it tells nothing about that: an error is quick, and a slow reader makes its upstream slow.
        """
        target = self.targets.get(candidate.key)
        if target is not None:
            if elapsed_ms is not None and not target.via_gateway:
                service_ms = max(LEAST_SERVICE_MS, elapsed_ms - candidate.rtt_ms)
                target.service.observe(service_ms, in_flight_at_send, candidate.slots)
            if not target.health.clean:
                target.health.succeeded()
                self._show_health(candidate, target.health)
        candidate.finished()

    def failed(self, candidate: Candidate, *, unreachable: bool = False) -> None:
        """An upstream failure. One that is unreachable takes every model at the same address with it."""
        candidate.finished()
        target = self.targets.get(candidate.key)
        if target is None:
            return
        now_s = self._clock.monotonic_s()
        for other in self.targets.values() if unreachable else (target,):
            if other.base_url == target.base_url:
                other.health.failed(now_s, unreachable=unreachable)
                self._show_health(other.candidate, other.health)

    def abandoned(self, candidate: Candidate) -> None:
        """The client hung up, or the neighbour refused: nothing is learned about the upstream's health."""
        candidate.finished()
        target = self.targets.get(candidate.key)
        if target is not None and target.health.circuit is Circuit.TRIAL:
            target.health.abandoned()
            self._show_health(candidate, target.health)

    # What others report

    def report_load(self, candidate: Candidate, in_flight: float, slots: int, service_ms: float) -> None:
        """The load header of a neighbour's answer."""
        candidate.report(in_flight, slots, service_ms)
        self._report_s[candidate.key] = self._clock.monotonic_s()

    def report_site(self, site: str, models: Mapping[str, PeerReport], age_ms: float, rtt_ms: float | None) -> None:
        """A neighbour's beacon, `age_ms` old; older than what a load header already said, it is ignored."""
        heard_s = self._clock.monotonic_s() - age_ms / 1000.0
        changed = False
        for model, report in models.items():
            for candidate in self._by_model.get(model, ()):
                if candidate.site.name != site:
                    continue
                if rtt_ms is not None and rtt_ms != candidate.rtt_ms:
                    candidate.measured(rtt_ms, candidate.service_ms, candidate.slots)
                # Servers reached directly are known from this gateway's own traffic; only a gateway reports its load.
                if self.targets[candidate.key].via_gateway and heard_s > self._report_s.get(candidate.key, 0.0):
                    fresh = age_ms <= self.policy.fresh_ms
                    candidate.report(report.in_flight, report.slots, report.service_ms, fresh=fresh)
                    self._report_s[candidate.key] = heard_s
                changed = changed or candidate.ready != report.ready
                candidate.ready = report.ready
        if changed:
            self.recompile()

    def report_local(self, model: str, others_in_flight: float, *, ready: bool, replicas: int = 1) -> None:
        """What the other workers of this site have under way for a model, whether it is served, and how often."""
        own = [candidate for candidate in self._by_model.get(model, ()) if candidate.site.name == self.ingress]
        ready = ready and replicas > 0
        for candidate in own:
            slots = self.targets[candidate.key].slots * max(1, replicas)
            if slots != candidate.slots:
                candidate.measured(candidate.rtt_ms, candidate.service_ms, slots)
        all_slots = sum(candidate.slots for candidate in own)
        for candidate in own:
            candidate.know_others(others_in_flight * candidate.slots / all_slots)
            if candidate.ready != ready:
                candidate.ready = ready
                self.recompile()

    def local_load(self, model: str) -> tuple[float, int, float]:
        """(in flight, slots, service ms) of the ingress's own servers for a model; no slots if it has none."""
        own = [candidate for candidate in self._by_model.get(model, ()) if candidate.site.name == self.ingress]
        slots = sum(candidate.slots for candidate in own)
        service_ms = sum(candidate.service_ms * candidate.slots for candidate in own) / slots if slots else 0.0
        return sum(candidate.in_flight for candidate in own), slots, service_ms

    def own_load(self, model: str) -> tuple[int, int, float]:
        """As `local_load`, but counting only what this worker itself has under way."""
        _, slots, service_ms = self.local_load(model)
        own = (candidate for candidate in self._by_model.get(model, ()) if candidate.site.name == self.ingress)
        return sum(candidate.own for candidate in own), slots, service_ms

    def close_sites(self, closed: Mapping[str, str]) -> None:
        """Which sites take no new requests, and why (draining, suspected)."""
        if closed != self.closed:
            self.closed = dict(closed)
            self.recompile()

    def use_table(self, table: RoutingTable) -> None:
        self.table = table
        self.recompile()

    # Time

    def tick(self) -> None:
        """Several times a second: age reports, half-open circuits, publish measured service times."""
        now_s = self._clock.monotonic_s()
        oldest_s = now_s - self.policy.fresh_ms / 1000.0
        for key, target in self.targets.items():
            candidate = target.candidate
            if target.via_gateway:
                # A neighbour that never reported is judged by its declared figures, by the table only.
                fresh = self._report_s.get(key, 0.0) >= oldest_s
                if fresh != candidate.fresh:
                    candidate.fresh = fresh
                    candidate.refresh()
            elif target.service.ms != candidate.service_ms:
                candidate.measured(candidate.rtt_ms, target.service.ms, candidate.slots)
        for key in list(self._unsettled):
            unsettled = self.targets.get(key)
            if unsettled is None:
                self._unsettled.discard(key)
            elif unsettled.health.tick(now_s):
                self._show_health(unsettled.candidate, unsettled.health)

    def recompile(self) -> None:
        """Forget the compiled sets; each is laid out anew when the next request needs it."""
        self._sets.clear()
        for target in self.targets.values():
            target.candidate.forget_views()

    def _show_health(self, candidate: Candidate, health: UpstreamHealth) -> None:
        if health.circuit is Circuit.CLOSED:
            self._unsettled.discard(candidate.key)
        else:
            self._unsettled.add(candidate.key)
        if candidate.available != health.selectable:
            candidate.available = health.selectable
            self.recompile()


def _redeclare(known: Target, declared: Candidate) -> None:
    """Take what the configuration alone says; what was measured or reported since stays."""
    candidate = known.candidate
    candidate.site = declared.site
    if not known.via_gateway:
        candidate.load_ms = declared.load_ms
        # As many replicas as before, until the controller tells.
        slots = declared.slots * max(1, candidate.slots // known.slots)
        known.slots = declared.slots
        candidate.measured(declared.rtt_ms, candidate.service_ms, slots)
