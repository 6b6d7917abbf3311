"""The last decisions of one gateway worker, kept so that each can be explained: bounded, in memory, cheap to add to."""

import math
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

from edgemind.domain.requests import Constraints, Demand
from edgemind.domain.routing.candidates import Candidate, CandidateSet, CostTerms
from edgemind.domain.routing.cost import WAITING_WEIGHT
from edgemind.domain.trace_context import TraceContext

NO_TRACE = TraceContext("0" * 32)


@dataclass(slots=True)
class DecisionRecord:
    """What one decision saw. `costs_ms` and `terms` are as of the decision, by the set's positions.

    `attempts` holds (site, outcome) in order; `status` is 0 until the answer began, or 499 if the client hung up first.
    """

    decision_id: str
    at_ms: int
    api: str
    tenant: str
    constraints: Constraints
    demand: Demand
    candidates: CandidateSet
    costs_ms: tuple[float, ...]
    terms: tuple[CostTerms, ...]
    table_version: int
    chosen: Candidate | None = None
    reason: str = ""
    predicted_ms: float = 0.0
    first_byte_ms: float = 0.0
    actual_ms: float = 0.0
    status: int = 0
    attempts: tuple[tuple[str, str], ...] = ()
    trace: TraceContext = NO_TRACE
    session: bytes | None = None
    """As the request named it. It stays in this process: what is kept or told of it is its hash."""


class RecentDecisions:
    """A ring of the last `limit` decisions. Every request adds one, and now and then a person looks for one."""

    def __init__(self, limit: int = 2048) -> None:
        self._order: deque[DecisionRecord] = deque(maxlen=limit)
        self.add = self._order.append

    def find(self, decision_id: str) -> DecisionRecord | None:
        return next((record for record in self._order if record.decision_id == decision_id), None)

    def latest(self, count: int) -> list[DecisionRecord]:
        """The newest `count`, newest first."""
        return list(islice(reversed(self._order), count))


def summarize(record: DecisionRecord) -> dict[str, Any]:
    """One line of a list of decisions."""
    return {
        "id": record.decision_id,
        "at_ms": record.at_ms,
        "model": record.constraints.model,
        "tenant": record.tenant,
        "site": record.chosen.site.name if record.chosen else None,
        "reason": record.reason,
        "predicted_ms": round(record.predicted_ms, 3),
        "actual_ms": round(record.actual_ms, 3) if record.actual_ms else None,
        "status": record.status,
        "residency": sorted(record.constraints.residency),
        "zones": sorted(record.chosen.site.zones) if record.chosen else [],
    }


def explain(record: DecisionRecord, ingress: str) -> dict[str, Any]:
    """Everything one decision saw and did: candidates with cost terms, the runner-up, exclusions, what happened."""
    rows = [_row(record, position) for position in range(len(record.candidates.members))]
    rows += [_cloud_row(candidate) for candidate in record.candidates.cloud]
    chosen = record.chosen.site.name if record.chosen else None
    others = [row for row in rows if row["site"] != chosen and row["cost_ms"] is not None]
    runner_up = min(others, key=lambda row: row["cost_ms"])["site"] if others else None
    return {
        **summarize(record),
        "site": ingress,
        "chosen": chosen,
        "runner_up": runner_up,
        "api": record.api,
        "trace_id": record.trace.trace_id,
        "first_byte_ms": round(record.first_byte_ms, 3),
        "attempts": [{"site": site, "outcome": outcome} for site, outcome in record.attempts],
        "deadline_ms": record.demand.deadline_ms,
        "priority": record.demand.priority.name.lower(),
        "session": record.demand.session_site,
        "residency": sorted(record.constraints.residency),
        "device_class": record.constraints.device_class,
        "table_version": record.table_version,
        "candidates": rows,
        "exclusions": [{"site": one.site, "why": one.why} for one in record.candidates.exclusions],
    }


def _row(record: DecisionRecord, position: int) -> dict[str, Any]:
    candidate, terms = record.candidates.members[position], record.terms[position]
    cost_ms = record.costs_ms[position]
    fresh = math.isfinite(cost_ms)
    idle_ms = terms.rtt_ms + terms.service_ms + terms.load_ms
    waiting_ms = max(0.0, cost_ms - idle_ms) / WAITING_WEIGHT
    cumulative = record.candidates.cumulative
    return {
        "site": candidate.site.name,
        "tier": candidate.site.tier,
        "rtt_ms": round(terms.rtt_ms, 3),
        "service_ms": round(terms.service_ms, 3),
        "load_ms": round(terms.load_ms, 3),
        "waiting_ms": round(waiting_ms, 3) if fresh else None,
        "expected_ms": round(idle_ms + waiting_ms, 3) if fresh else None,
        "cost_ms": round(cost_ms, 3) if fresh else None,
        # Waiting is what lies beyond the slots: a candidate that makes nobody wait only tells "fewer than its slots".
        "in_flight": _in_flight(waiting_ms, terms) if fresh else None,
        "slots": terms.slots,
        "weight": round(cumulative[position] - (cumulative[position - 1] if position else 0.0), 4),
        "fresh": fresh,
    }


def _in_flight(waiting_ms: float, terms: CostTerms) -> int | None:
    return round(waiting_ms / terms.service_ms * terms.slots) + terms.slots - 1 if waiting_ms > 1e-6 else None


def _cloud_row(candidate: Candidate) -> dict[str, Any]:
    terms = candidate.terms
    expected_ms = candidate.expected_ms
    return {
        "site": candidate.site.name,
        "tier": candidate.site.tier,
        "rtt_ms": round(terms.rtt_ms, 3),
        "service_ms": round(terms.service_ms, 3),
        "load_ms": round(terms.load_ms, 3),
        "waiting_ms": round(expected_ms - terms.rtt_ms - terms.service_ms - terms.load_ms, 3),
        "expected_ms": round(expected_ms, 3),
        "cost_ms": round(candidate.cost_ms, 3),
        "in_flight": int(candidate.in_flight),
        "slots": terms.slots,
        "weight": 0.0,
        "fresh": True,
    }
