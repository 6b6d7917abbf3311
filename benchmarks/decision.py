"""`benchmarks decision`: what one decision costs - pick, note it sent, note one finished - at growing fleets."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from time import thread_time_ns

from edgemind.domain.fleet import Site
from edgemind.domain.requests import Constraints, Demand, Reason
from edgemind.domain.routing.candidates import Candidate, CandidateSet, compile_candidates, exclusion
from edgemind.domain.routing.cost import expected_completion_ms
from edgemind.domain.routing.picker import pick
from edgemind.domain.routing.policies import POLICIES, Policy

SITES = (3, 10, 50, 500)
_CONSTRAINTS = Constraints(model="bench-model", residency=frozenset({"eu"}))
_DEMAND = Demand(deadline_ms=30_000.0)
_NONE_CLOSED: dict[str, str] = {}


def full_scan(candidates: CandidateSet, draw: float, margin_ms: float) -> tuple[Candidate, Reason]:
    """The naive peer: filter and score every site for every request instead of keeping both current."""
    best: Candidate | None = None
    best_ms = float("inf")
    for candidate in candidates.members:
        if exclusion(candidate, _CONSTRAINTS, "site-0", _NONE_CLOSED) is not None:
            continue
        expected_ms = expected_completion_ms(
            candidate.rtt_ms, candidate.service_ms, candidate.in_flight, candidate.slots, candidate.load_ms
        )
        if expected_ms < best_ms:
            best, best_ms = candidate, expected_ms
    assert best is not None
    return best, Reason.LOCAL


@dataclass(frozen=True, slots=True)
class DecisionRow:
    sites: int
    policy: str
    us_per_decision: float


class _Scene:
    """A fleet half busy, so that costs differ and change: each decision sends one request and ends the oldest."""

    def __init__(self, sites: int, policy: Policy, seed: int) -> None:
        rng = Random(seed)
        zones = frozenset({"eu", "de"})
        self._candidates = [
            Candidate(f"site-{k}", Site(f"site-{k}", zones, ()), "bench-model", 4, 20.0, rng.uniform(5.0, 30.0))
            for k in range(sites)
        ]
        weights = {candidate.site.name: rng.uniform(0.1, 1.0) for candidate in self._candidates}
        self._set = compile_candidates(self._candidates, _CONSTRAINTS, "site-0", weights)
        self._policy = policy
        self._rng = rng
        self._outstanding: deque[Candidate] = deque()
        for number in range(2 * sites):
            candidate = self._candidates[number % sites]
            candidate.sent()
            self._outstanding.append(candidate)

    def loop_alone(self, count: int) -> float:
        """What `decide` spends on its own loop, to be read beside the policies; it is in their numbers too."""
        outstanding, draw = self._outstanding, self._rng.random
        started_ns = thread_time_ns()
        for _ in range(count):
            draw()
            outstanding.append(outstanding[-1])
            outstanding.popleft()
        return (thread_time_ns() - started_ns) / 1000 / count

    def decide(self, count: int) -> float:
        """CPU microseconds per decision over `count` of them, the loop and the random draw included."""
        candidates, policy, outstanding, draw = self._set, self._policy, self._outstanding, self._rng.random
        started_ns = thread_time_ns()
        for _ in range(count):
            choice = pick(candidates, _DEMAND, policy, draw(), margin_ms=2.0, session_margin_ms=2.0)
            assert isinstance(choice, tuple)
            choice[0].sent()
            outstanding.append(choice[0])
            outstanding.popleft().finished()
        return (thread_time_ns() - started_ns) / 1000 / count


def measure_decisions(
    decisions: int, repeats: int, progress: Callable[[str], None], sites: Sequence[int] = SITES
) -> list[DecisionRow]:
    """Blocks of `decisions`, the policies in turn, garbage collection on; the median of `repeats` blocks each."""
    policies = {**POLICIES, "full scan (naive)": full_scan}
    rows: list[DecisionRow] = []
    for count in sites:
        progress(f"{count} sites")
        measures = {name: _Scene(count, policy, seed=1).decide for name, policy in policies.items()}
        measures["(loop alone)"] = _Scene(count, full_scan, seed=1).loop_alone
        blocks: dict[str, list[float]] = {name: [] for name in measures}
        # The same time for every fleet size: a scan of 500 sites takes a hundred times as long as one of three.
        each = max(50, decisions * 3 // (count + 3))
        for _ in range(repeats):
            for name, measure in measures.items():
                blocks[name].append(measure(each))
        rows.extend(DecisionRow(count, name, median(taken)) for name, taken in blocks.items())
    return rows
