"""What a demo run amounts to: counted while it goes on, and told as one JSON document at its end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from edgemind.domain.requests import SHED_PREFIX
from edgemind.domain.samples import Samples, Window, quantile
from edgemind.services.demo_course import STRETCH_S, Attainment
from edgemind.services.devices.outcomes import Outcome, Result

RECENT_S = 10.0
FAILURE_TEXTS_KEPT = 50
MEASURED_ON = "local"
"""Stands next to every latency: a laptop's numbers are not a fleet's."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was run. `simulated` tells for every model served whether it is one."""

    scenario: str
    backend: str
    policy: str
    sites: tuple[str, ...]
    seed: int
    rate_per_s: float
    simulated: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the scenario did or that befell the demo, seconds after traffic began."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Failover:
    """`detected_ms`: from the kill until every surviving controller knew; None if some never did in this run."""

    site: str
    killed_s: float
    detected_ms: float | None
    surviving: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """Counters of one run; times are monotonic seconds. `ran` counts usable answers by (site, reason)."""

    sites: Sequence[str]
    started_s: float
    rng: Random
    sent: int = 0
    results: Counter[Result] = field(default_factory=Counter)
    sent_by_site: Counter[str] = field(default_factory=Counter)
    ran: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    shed_by_reason: Counter[str] = field(default_factory=Counter)
    in_time: int = 0
    attainment: Attainment = field(default_factory=Attainment)
    reattached: int = 0
    failed_s: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    added_ms: Samples = field(init=False)
    recent_added_ms: Window = field(init=False)
    recent_sent: Window = field(init=False)

    def __post_init__(self) -> None:
        self.added_ms = Samples(self.rng)
        self.recent_added_ms, self.recent_sent = Window(RECENT_S), Window(RECENT_S)

    def on_sent(self, home: str, now_s: float) -> None:
        self.sent += 1
        self.sent_by_site[home] += 1
        self.recent_sent.add(now_s, 1.0)

    def on_outcome(self, outcome: Outcome) -> None:
        self.results[outcome.result] += 1
        self.attainment.add(outcome.ended_s - outcome.total_ms / 1000.0 - self.started_s, outcome.in_time)
        self.reattached += outcome.moves > 0 and outcome.result is Result.OK
        if outcome.result is Result.OK:
            self._answered(outcome)
        elif outcome.result is Result.SHED:
            self.shed_by_reason[(outcome.reason or "refused").removeprefix(SHED_PREFIX)] += 1
        else:
            self._failed(outcome)

    def _answered(self, outcome: Outcome) -> None:
        self.in_time += outcome.in_time
        self.ran[outcome.site or "?", outcome.reason or "?"] += 1
        self.by_model[outcome.activity.model] += 1
        if outcome.added_ms is not None:
            self.added_ms.add(outcome.added_ms)
            self.recent_added_ms.add(outcome.ended_s, outcome.added_ms)

    def _failed(self, outcome: Outcome) -> None:
        self.failed_s.append(outcome.ended_s)
        why = outcome.why or "failed"
        # Every failure is counted; only the variety of their texts is bounded.
        self.failures[why if why in self.failures or len(self.failures) < FAILURE_TEXTS_KEPT else "other"] += 1

    def ran_by_site(self) -> dict[str, int]:
        return _summed(self.ran, 0)

    def ran_by_reason(self) -> dict[str, int]:
        return _summed(self.ran, 1)

    def requests_per_s(self, now_s: float) -> float:
        return self.recent_sent.per_s(now_s, now_s - self.started_s)

    def recent_added(self, now_s: float) -> tuple[float | None, float | None]:
        """(p50, p99) of the last seconds, in milliseconds."""
        values = self.recent_added_ms.values(now_s)
        return quantile(values, 0.5), quantile(values, 0.99)

    def failed_since(self, moment_s: float) -> int:
        return sum(1 for at_s in self.failed_s if at_s >= moment_s)


def report_document(
    facts: RunFacts, tally: Tally, duration_s: float, events: Sequence[Event], failover: Failover | None
) -> dict[str, object]:
    """The report as plain values. Counts of requests add up: sent = ok + shed + failed."""
    document: dict[str, object] = {
        "requests": {"sent": tally.sent, **{result.value: tally.results[result] for result in Result}},
        "sent_by_site": {site: tally.sent_by_site[site] for site in tally.sites},
        "added_latency_ms": {
            "p50": _rounded(tally.added_ms.quantile(0.5)),
            "p99": _rounded(tally.added_ms.quantile(0.99)),
        },
        "slo_attainment": round(tally.in_time / tally.sent, 4) if tally.sent else None,
        f"attainment_by_{STRETCH_S}s": tally.attainment.document(),
        "by_site": {**dict.fromkeys(tally.sites, 0), **tally.ran_by_site()},
        "by_reason": tally.ran_by_reason(),
        "by_model": dict(tally.by_model),
        "shed_by_reason": dict(tally.shed_by_reason),
        "failures": dict(tally.failures),
        "reattached": tally.reattached,
        "backend": facts.backend,
        "scenario": facts.scenario,
        "policy": facts.policy,
        "sites": len(facts.sites),
        "rate_per_s": facts.rate_per_s,
        "seed": facts.seed,
        "duration_s": round(duration_s, 3),
        "measured": MEASURED_ON,
        "simulated": dict(facts.simulated),
        "events": [{"at_s": round(event.at_s, 2), "text": event.text} for event in events],
    }
    if failover is not None:
        document["failover"] = _failover(failover, tally)
    return document


def _failover(failover: Failover, tally: Tally) -> dict[str, object]:
    detected_ms = failover.detected_ms
    detected_s = None if detected_ms is None else failover.killed_s + detected_ms / 1000.0
    return {
        "site": failover.site,
        "detected_ms": _rounded(detected_ms),
        "failed_after_detection": None if detected_s is None else tally.failed_since(detected_s),
        "surviving": list(failover.surviving),
    }


def _summed(counts: Mapping[tuple[str, str], int], position: int) -> dict[str, int]:
    total: Counter[str] = Counter()
    for key, count in counts.items():
        total[key[position]] += count
    return dict(total)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
