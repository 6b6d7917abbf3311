"""From a candidate set to an answer: a candidate with its reason, or a shed that says whether a retry can help."""

import math
from dataclasses import dataclass

from edgemind.domain.requests import Demand, Priority, Reason, ShedReason
from edgemind.domain.routing.candidates import Candidate, CandidateSet
from edgemind.domain.routing.policies import Policy

QUEUE_RATIO_LIMIT = {Priority.LOW: 0.0, Priority.NORMAL: 4.0, Priority.HIGH: 16.0}
"""How far beyond its slots a candidate may be filled, per priority, as a multiple of its slots.

A low class never waits: when slots are short it is the first to be shed, and the highest class the last.
"""


@dataclass(frozen=True, slots=True)
class Shed:
    """Nobody takes the request. `retry_helps` is false when even an idle fleet would miss its deadline."""

    reason: ShedReason
    retry_after_s: int
    retry_helps: bool = True


Pick = tuple[Candidate, Reason]


def pick(
    candidates: CandidateSet,
    demand: Demand,
    policy: Policy,
    draw: float,
    *,
    margin_ms: float,
    session_margin_ms: float,
) -> Pick | Shed:
    """Choose for one request. `draw` is uniform in [0, 1): the only randomness, owned by the caller.

    Order: the session's last site if it is within `session_margin_ms` of the best, else the policy's choice; if that
    one would miss the deadline or is too full for the priority, the soonest that is neither; else the cloud tier;
    else a shed.
    """
    if candidates.members:
        choice = _session_choice(candidates, demand, session_margin_ms) if demand.session_site else None
        if choice is None:
            choice = policy(candidates, draw, margin_ms)
        if _admissible(choice[0], demand):
            return choice
        remaining = [candidate for candidate in candidates.members if _admissible(candidate, demand)]
        if remaining:
            return min(remaining, key=_expected_ms), Reason.OVERRIDE
    in_cloud = [candidate for candidate in candidates.cloud if _admissible(candidate, demand)]
    if in_cloud:
        return min(in_cloud, key=_expected_ms), Reason.CLOUD
    return _shed(candidates, demand)


def pick_other(candidates: CandidateSet, demand: Demand, tried: Candidate) -> Candidate | None:
    """The soonest admissible candidate that is not at the address already tried; the cloud tier comes last."""
    for group in (candidates.members, candidates.cloud):
        others = [candidate for candidate in group if candidate is not tried and _admissible(candidate, demand)]
        if others:
            return min(others, key=_expected_ms)
    return None


def _expected_ms(candidate: Candidate) -> float:
    return candidate.expected_ms


def _admissible(candidate: Candidate, demand: Demand) -> bool:
    if candidate.expected_ms > demand.deadline_ms:
        return False
    beyond = candidate.beyond
    return beyond <= 0 or beyond <= QUEUE_RATIO_LIMIT[demand.priority] * candidate.slots


def _session_choice(candidates: CandidateSet, demand: Demand, margin_ms: float) -> Pick | None:
    """The session's last site while staying there costs no more than `margin_ms`: its caches are warm."""
    position = candidates.position_of_site.get(demand.session_site or "")
    if position is None:
        return None
    candidate = candidates.members[position]
    best_ms = min(candidates.costs_ms)
    return (candidate, Reason.SESSION) if candidate.cost_ms - best_ms <= margin_ms else None


def _shed(candidates: CandidateSet, demand: Demand) -> Shed:
    everyone = (*candidates.members, *candidates.cloud)
    if candidates.residency_empty:
        return Shed(ShedReason.RESIDENCY_UNSATISFIABLE, 0, retry_helps=False)
    if not everyone:
        return Shed(ShedReason.NO_HEALTHY_CANDIDATE, 1)
    idle_ms = min(candidate.rtt_ms + candidate.load_ms + candidate.service_ms for candidate in everyone)
    if idle_ms > demand.deadline_ms:
        return Shed(ShedReason.DEADLINE_UNREACHABLE, 1, retry_helps=False)
    over_ms = min(candidate.expected_ms for candidate in everyone) - demand.deadline_ms
    return Shed(ShedReason.OVERLOADED, max(1, math.ceil(over_ms / 1000)))
