"""Latency histograms in plain integers: constant memory, one bisect per observation."""

from bisect import bisect_left
from collections.abc import Sequence

LATENCY_BOUNDS_MS: tuple[float, ...] = (
    0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 40, 50, 75, 80, 100, 150, 200, 300, 400, 500, 750, 800,
    1000, 1500, 2000, 3000, 5000, 7500, 10000, 15000, 30000, 60000,
)  # fmt: skip
"""Upper bounds of the buckets in milliseconds; one more bucket holds everything above. Every limit of a KPI is one."""


class Histogram:
    """Counts per bucket, with their sum. Quantiles are interpolated inside a bucket, as Prometheus does."""

    __slots__ = ("counts", "sum_ms")

    def __init__(self, counts: Sequence[int] | None = None, sum_ms: float = 0.0) -> None:
        self.counts = list(counts) if counts is not None else [0] * (len(LATENCY_BOUNDS_MS) + 1)
        self.sum_ms = sum_ms

    def observe(self, value_ms: float) -> None:
        self.counts[bisect_left(LATENCY_BOUNDS_MS, value_ms)] += 1
        self.sum_ms += value_ms

    @property
    def count(self) -> int:
        return sum(self.counts)

    def since(self, earlier: "Histogram") -> "Histogram":
        """What was observed after `earlier`, an older copy of this histogram."""
        counts = [now - then for now, then in zip(self.counts, earlier.counts, strict=True)]
        return Histogram(counts, self.sum_ms - earlier.sum_ms)

    def copy(self) -> "Histogram":
        return Histogram(self.counts, self.sum_ms)

    def quantile_ms(self, ratio: float) -> float | None:
        """The value below which `ratio` of the observations lie, or None without any; capped at the last bound."""
        total = self.count
        if not total:
            return None
        rank, seen = ratio * total, 0
        for position, count in enumerate(self.counts):
            if count and seen + count >= rank:
                if position >= len(LATENCY_BOUNDS_MS):
                    break
                lower = LATENCY_BOUNDS_MS[position - 1] if position else 0.0
                return lower + (LATENCY_BOUNDS_MS[position] - lower) * (rank - seen) / count
            seen += count
        return LATENCY_BOUNDS_MS[-1]
