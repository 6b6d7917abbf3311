"""The first choice among candidates, by name. Each policy returns the candidate it picked and the reason for it."""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping

from edgemind.domain.requests import Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet

Policy = Callable[[CandidateSet, float, float], tuple[Candidate, Reason]]
"""(non-empty set, draw in [0, 1), override margin in ms) -> (candidate, reason)."""


def hybrid(candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
    """The table's weighted choice, unless fresh reports predict another candidate more than `margin_ms` better."""
    first = candidates.members[bisect_right(candidates.cumulative, draw)]
    costs_ms = candidates.costs_ms
    best_ms = min(costs_ms)
    if first.cost_ms - best_ms > margin_ms:
        return candidates.members[costs_ms.index(best_ms)], Reason.OVERRIDE
    return first, Reason.TABLE


def local_first(candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
    """The ingress's own site while it has a free slot, else the least cost by fresh reports."""
    local = candidates.local
    if local is not None and local.in_flight < local.slots:
        return local, Reason.LOCAL
    costs_ms = candidates.costs_ms
    best_ms = min(costs_ms)
    if best_ms < math.inf:
        return candidates.members[costs_ms.index(best_ms)], Reason.OVERRIDE
    return min(candidates.members, key=lambda candidate: candidate.cost_ms), Reason.OVERRIDE


def least_request(candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
    """The lowest slot occupancy among those whose load is known, the sooner expected completion among equals."""
    # A place that has not reported of late would look idle; it comes last.
    least = min(candidates.members, key=lambda c: (not c.fresh, c.in_flight / c.slots, c.expected_ms))
    return least, Reason.LEAST_REQUEST


POLICIES: Mapping[str, Policy] = {"hybrid": hybrid, "local_first": local_first, "least_request": least_request}
