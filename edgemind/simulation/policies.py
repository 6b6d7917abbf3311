"""Who chooses in a simulation. Every baseline sees what ours sees: the same candidates, reports and own-sent counts."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from edgemind.domain.requests import Demand, Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.domain.routing.picker import Pick, Shed, pick
from edgemind.domain.routing.policies import POLICIES, Policy
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.simulation.balancers import PeakEwma, Prequal
from edgemind.simulation.truth import Truth

LATENCY_LIMIT_MS, CPU_RATIO_LIMIT, QUEUE_LIMIT = 100.0, 0.8, 50
"""The threshold rule that EdgeMind's first demonstration routed by; today it only activates the swarm."""


class Chooser(Protocol):
    """The policy of one ingress."""

    def choose(self, candidates: CandidateSet, draw: float) -> Pick | Shed:
        """One decision; `draw` is uniform in [0, 1) and belongs to the request."""

    def answered(self, candidate: Candidate, latency_ms: float, now_ms: float) -> None:
        """An answer came back to this ingress."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What choosers are made of; each takes what it needs."""

    ingress: int
    demand: Demand
    routing: RoutingPolicy
    rng: Random
    truth: Truth


class _Indifferent:
    """Most policies learn nothing from answers: the candidates hold what load headers say."""

    def answered(self, candidate: Candidate, latency_ms: float, now_ms: float) -> None:
        return None


class AsGateway(_Indifferent):
    """One of the domain's policies with the picker around it, as a gateway runs it."""

    def __init__(self, policy: Policy, surroundings: Surroundings) -> None:
        self._policy = policy
        self._demand = surroundings.demand
        self._margin_ms = surroundings.routing.override_margin_ms
        self._session_margin_ms = surroundings.routing.session_margin_ms

    def choose(self, candidates: CandidateSet, draw: float) -> Pick | Shed:
        return pick(
            candidates,
            self._demand,
            self._policy,
            draw,
            margin_ms=self._margin_ms,
            session_margin_ms=self._session_margin_ms,
        )


class Oracle(_Indifferent):
    """Zero staleness: the domain's cost on the true state of all sites, requests on their way there included.

    It wants every site among its candidates, in order.
    """

    def __init__(self, ingress: int, truth: Truth) -> None:
        self._ingress = ingress
        self._truth = truth

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        return candidates.members[self._truth.best_site(self._ingress)], Reason.OVERRIDE


class TableOnly(_Indifferent):
    """The routing table's weighted choice and nothing else."""

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        return candidates.members[bisect_right(candidates.cumulative, draw)], Reason.TABLE


class RoundRobin(_Indifferent):
    """Each candidate in turn. Ingresses start at their own place: in step, they would all meet at one site."""

    def __init__(self, ingress: int) -> None:
        self._turn = ingress - 1

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        self._turn += 1
        return candidates.members[self._turn % len(candidates.members)], Reason.TABLE


class Threshold(_Indifferent):
    """Here, unless latency > 100 ms or CPU > 80 % or queue > 50; then the nearest site that is fine, if any is."""

    def choose(self, candidates: CandidateSet, draw: float) -> Pick:
        local = candidates.local
        assert local is not None  # Every simulated ingress has a site of its own.
        if self._fine(local):
            return local, Reason.LOCAL
        fine = [candidate for candidate in candidates.members if self._fine(candidate)]
        return (min(fine, key=lambda candidate: candidate.rtt_ms), Reason.OVERRIDE) if fine else (local, Reason.LOCAL)

    def _fine(self, candidate: Candidate) -> bool:
        return (
            candidate.expected_ms - candidate.rtt_ms <= LATENCY_LIMIT_MS
            and min(1.0, candidate.in_flight / candidate.slots) <= CPU_RATIO_LIMIT
            and candidate.in_flight - candidate.slots <= QUEUE_LIMIT
        )


def _as_gateway(name: str) -> Callable[[Surroundings], Chooser]:
    return lambda surroundings: AsGateway(POLICIES[name], surroundings)


ORACLE = "oracle"
CHOOSERS: Mapping[str, Callable[[Surroundings], Chooser]] = {
    ORACLE: lambda around: Oracle(around.ingress, around.truth),
    "hybrid": _as_gateway("hybrid"),
    "local_first": _as_gateway("local_first"),
    "least_request": _as_gateway("least_request"),
    "prequal": lambda around: Prequal(),
    "peak_ewma": lambda around: PeakEwma(around.rng),
    "table": lambda around: TableOnly(),
    "round_robin": lambda around: RoundRobin(around.ingress),
    "threshold": lambda around: Threshold(),
}
"""By the names of `edgemind simulate --policy`: the bound, the gateway's own, then the field."""
