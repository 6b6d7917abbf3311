"""Who may serve a request: hard filters, compiled once per set of constraints and kept current by load events."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from edgemind.domain.fleet import Site, Tier
from edgemind.domain.requests import Constraints
from edgemind.domain.routing.cost import WAITING_WEIGHT

REPORT_WEIGHT = 0.2
"""Weight of one report of a candidate's load in their decayed mean.

A count of requests that take milliseconds is out of date when it arrives, so the last one alone tells less than the
mean of the last few, and everybody who trusts it sends to the same site. Places that this gateway uses report with
every answer, hundreds of times a second, and are still followed within milliseconds.
"""


class CostTerms(NamedTuple):
    """The slow-moving terms of a candidate's expected completion; the rest of it is waiting for a slot."""

    rtt_ms: float
    service_ms: float
    load_ms: float
    slots: int


class Candidate:
    """One place that answers for one model, with what this gateway knows of its load now.

    `own` is what this gateway has outstanding there, on the way included; `others` what everybody else is believed to
    have there, from reports. `expected_ms` is the prediction, `cost_ms` what picks compare, `beyond` how many requests
    would wait if one more came (negative: free slots); all three are kept current.
    """

    __slots__ = (
        "_base_ms", "_free_slots", "_heard", "_step_ms", "_views", "available", "beyond", "cost_ms", "expected_ms",
        "fresh", "key", "load_ms", "model", "others", "own", "ready", "rtt_ms", "service_ms", "site", "slots", "terms",
    )  # fmt: skip

    def __init__(
        self, key: str, site: Site, model: str, slots: int, service_ms: float, rtt_ms: float, load_ms: float = 0.0
    ) -> None:
        self.key = key
        self.site = site
        self.model = model
        self.load_ms = load_ms
        self.others = 0.0
        self.own = 0
        self.fresh = True
        self.ready = True
        self.available = True
        self._heard = False
        self._views: list[tuple[CandidateSet, int]] = []
        self.measured(rtt_ms, service_ms, slots)

    @property
    def in_flight(self) -> float:
        """Requests believed to be at this candidate now; never fewer than this gateway's own."""
        return self.others + self.own

    def sent(self) -> None:
        self.own += 1
        self.refresh()

    def finished(self) -> None:
        self.own -= 1
        self.refresh()

    def report(self, in_flight: float, slots: int, service_ms: float, *, fresh: bool = True) -> None:
        """A beacon or load header. `in_flight` is everybody's, `fresh` tells whether it is young enough to compare."""
        self._average(max(0.0, in_flight - self.own))
        self.fresh = fresh
        if service_ms != self.service_ms or slots != self.slots:
            self.measured(self.rtt_ms, service_ms, slots)
        else:
            self.refresh()

    def know_others(self, in_flight: float) -> None:
        """What everybody else has there, told by who knows it apart (the other workers of the own site)."""
        self._average(in_flight)
        self.refresh()

    def _average(self, others: float) -> None:
        # The first report stands for itself: there is nothing yet to average it with.
        self.others += (REPORT_WEIGHT if self._heard else 1.0) * (others - self.others)
        self._heard = True

    def measured(self, rtt_ms: float, service_ms: float, slots: int) -> None:
        """What changes slowly: the round trip, the service time and the slots of this candidate."""
        self.rtt_ms = rtt_ms
        self.service_ms = service_ms
        self.slots = max(1, slots)
        self.terms = CostTerms(rtt_ms, service_ms, self.load_ms, self.slots)
        self._base_ms = rtt_ms + self.load_ms + service_ms
        self._step_ms = service_ms / self.slots
        self._free_slots = self.slots - 1
        for view, position in self._views:
            # A new tuple, never a changed one: decisions already journaled go on showing what they saw.
            view.terms = (*view.terms[:position], self.terms, *view.terms[position + 1 :])
        self.refresh()

    def refresh(self) -> None:
        """Recompute expectation and cost, and show the cost in every compiled set that holds this candidate."""
        # The two formulas of cost.py, inlined: this runs twice per request (a test holds them equal).
        beyond = self.beyond = self.others + self.own - self._free_slots
        cost_ms = expected_ms = self._base_ms
        if beyond > 0:
            waiting_ms = beyond * self._step_ms
            expected_ms += waiting_ms
            cost_ms += WAITING_WEIGHT * waiting_ms
        self.expected_ms = expected_ms
        self.cost_ms = cost_ms
        if not self.fresh:
            cost_ms = math.inf
        for view, position in self._views:
            view.costs_ms[position] = cost_ms

    def show_in(self, view: "CandidateSet", position: int) -> None:
        self._views.append((view, position))
        self.refresh()

    def forget_views(self) -> None:
        self._views.clear()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A place that serves the model but may not serve this request, and why."""

    site: str
    why: str


@dataclass(slots=True)
class CandidateSet:
    """The candidates of one set of constraints, in the order of `costs_ms`, `terms` and `cumulative`.

    `costs_ms[k]` is candidate k's `cost_ms`, or infinity while its last report is too old to be compared; the
    candidates keep it and `terms` current.
    `cumulative` is the running sum of the table's weights, scaled to end at 1. `residency_empty` tells that no place
    in the fleet, healthy or not, satisfies the residency: the request must be refused, never sent elsewhere.
    """

    members: tuple[Candidate, ...]
    cloud: tuple[Candidate, ...]
    costs_ms: list[float]
    terms: tuple[CostTerms, ...]
    cumulative: list[float]
    position_of_site: Mapping[str, int]
    local: Candidate | None
    exclusions: tuple[Exclusion, ...]
    residency_empty: bool


def exclusion(candidate: Candidate, constraints: Constraints, ingress: str, closed: Mapping[str, str]) -> str | None:
    """Why this candidate may not serve such a request, or None if it may."""
    site = candidate.site
    if constraints.residency and not constraints.residency & site.zones:
        return "outside the residency"
    if constraints.local_only and site.name != ingress:
        return "already forwarded once"
    if constraints.device_class and site.device_classes and constraints.device_class not in site.device_classes:
        return "does not serve this device class"
    if site.name in closed:
        return closed[site.name]
    if not candidate.ready:
        return "model not ready"
    if not candidate.available:
        return "ejected after failures"
    return None


def compile_candidates(
    everyone: Iterable[Candidate],
    constraints: Constraints,
    ingress: str,
    weights: Mapping[str, float],
    closed: Mapping[str, str] = MappingProxyType({}),
) -> CandidateSet:
    """Apply the hard filters to every candidate of the model and lay out what a pick reads.

    `weights` are the routing table's, by site name. `closed` names the sites that take no new requests and why
    (draining, suspected). Residency is a filter here and never a score.
    """
    allowed: list[Candidate] = []
    exclusions: list[Exclusion] = []
    for candidate in everyone:
        why = exclusion(candidate, constraints, ingress, closed)
        if why is None:
            allowed.append(candidate)
        else:
            exclusions.append(Exclusion(candidate.site.name, why))
    members = tuple(candidate for candidate in allowed if candidate.site.tier is Tier.EDGE)
    outside = sum(1 for excluded in exclusions if excluded.why == "outside the residency")
    compiled = CandidateSet(
        members=members,
        cloud=tuple(candidate for candidate in allowed if candidate.site.tier is Tier.CLOUD),
        costs_ms=[math.inf] * len(members),
        terms=tuple(candidate.terms for candidate in members),
        cumulative=_cumulative(members, weights),
        position_of_site={candidate.site.name: position for position, candidate in enumerate(members)},
        local=next((candidate for candidate in members if candidate.site.name == ingress), None),
        exclusions=tuple(exclusions),
        residency_empty=bool(constraints.residency) and not allowed and outside == len(exclusions),
    )
    for position, candidate in enumerate(members):
        candidate.show_in(compiled, position)
    return compiled


def _cumulative(members: tuple[Candidate, ...], weights: Mapping[str, float]) -> list[float]:
    """Running sum of the members' weights, ending at exactly 1; without any weight the nearest member takes all.

    A site with several model servers of the same model shares its weight among them by their slots.
    """
    if not members:
        return []
    slots: dict[str, int] = {}
    for candidate in members:
        slots[candidate.site.name] = slots.get(candidate.site.name, 0) + candidate.slots
    shares = [weights.get(c.site.name, 0.0) * c.slots / slots[c.site.name] for c in members]
    total = sum(shares)
    if total <= 0.0:
        nearest = min(range(len(members)), key=lambda k: members[k].rtt_ms + members[k].service_ms)
        shares, total = [float(k == nearest) for k in range(len(members))], 1.0
    running = [share / total for share in accumulate(shares)]
    # Whatever carries the last positive share owns the rest of [0, 1): rounding must leave no draw without an owner.
    last = max(k for k, share in enumerate(shares) if share > 0)
    running[last:] = [1.0] * (len(running) - last)
    return running
