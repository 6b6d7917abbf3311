"""What one gateway worker has done, in plain counters: read by its metrics endpoint and reported to its controller."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from edgemind.domain.histogram import Histogram


@dataclass(slots=True)
class GatewayStats:
    """Counters only grow. `first_byte` and `added` are in milliseconds.

    `arrivals` counts what devices asked of this ingress, by model, whatever became of it: the demand that the table
    shares out. `late` are those of `ok` whose last byte came after their own deadline. `added` is the time to the first
    body byte less the model's own service time, where upstreams state it.
    Label values come from the configuration, so their number is bounded.
    """

    requests: int = 0
    ok: int = 0
    late: int = 0
    shed: int = 0
    failed: int = 0
    refused: int = 0
    retried: int = 0
    hung_up: int = 0
    cut: int = 0
    reload_failures: int = 0
    telemetry_dropped: int = 0
    arrivals: Counter[str] = field(default_factory=Counter)
    by_site: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    first_byte: Histogram = field(default_factory=Histogram)
    added: Histogram = field(default_factory=Histogram)

    def routed(self, site: str, reason: str, model: str) -> None:
        self.by_site[site] += 1
        self.by_reason[reason] += 1
        self.by_model[model] += 1


class ArrivalRate:
    """Requests per second over a decaying window, from counts taken at each report."""

    def __init__(self, window_s: float = 1.0) -> None:
        self._window_s = window_s
        self._at_s: float | None = None
        self._count: Counter[str] = Counter()
        self.per_s: dict[str, float] = {}

    def update(self, arrivals: Counter[str], now_s: float) -> None:
        """`arrivals` are growing totals by model."""
        if self._at_s is not None and now_s > self._at_s:
            elapsed_s = now_s - self._at_s
            weight = min(1.0, elapsed_s / self._window_s)
            for model, total in arrivals.items():
                rate = (total - self._count[model]) / elapsed_s
                old = self.per_s.get(model, rate)
                self.per_s[model] = old + weight * (rate - old)
        self._at_s = now_s
        self._count = arrivals.copy()


class RecentStats:
    """Turns growing counters into what happened lately: rates and quantiles over about ten seconds."""

    def __init__(self, stats: GatewayStats, keep_s: float = 10.0) -> None:
        self._stats = stats
        self._keep_s = keep_s
        self._marks: list[tuple[float, int, Histogram]] = []

    def report(self, now_s: float) -> dict[str, Any]:
        """Totals, and requests/s and added-latency quantiles over the last seconds."""
        stats = self._stats
        self._marks.append((now_s, stats.requests, stats.added.copy()))
        while len(self._marks) > 2 and now_s - self._marks[1][0] >= self._keep_s:
            self._marks.pop(0)
        then_s, requests, added = self._marks[0]
        recent = stats.added.since(added)
        return {
            "requests": stats.requests,
            "ok": stats.ok,
            "late": stats.late,
            "shed": stats.shed,
            "failed": stats.failed,
            "refused": stats.refused,
            "retried": stats.retried,
            "hung_up": stats.hung_up,
            "telemetry_dropped": stats.telemetry_dropped,
            "requests_per_s": round((stats.requests - requests) / max(1e-9, now_s - then_s), 2)
            if now_s > then_s
            else 0.0,
            "added_ms_p50": recent.quantile_ms(0.5),
            "added_ms_p99": recent.quantile_ms(0.99),
            "by_site": dict(stats.by_site),
            "by_reason": dict(stats.by_reason),
            "by_model": dict(stats.by_model),
        }
