"""Exact quantiles of a run of any length in bounded memory: all values of a short one, a fair sample of a long one."""

import math
from collections import deque
from collections.abc import Iterable
from random import Random


class Samples:
    """Up to `limit` values are all kept; beyond that each value seen has the same chance to be among those kept."""

    def __init__(self, rng: Random, limit: int = 100_000) -> None:
        self._rng = rng
        self._limit = limit
        self._seen = 0
        self._kept: list[float] = []

    def add(self, value: float) -> None:
        self._seen += 1
        if len(self._kept) < self._limit:
            self._kept.append(value)
            return
        place = self._rng.randrange(self._seen)
        if place < self._limit:
            self._kept[place] = value

    def quantile(self, ratio: float) -> float | None:
        return quantile(self._kept, ratio)


class Window:
    """The values of the last `keep_s` seconds. Times are monotonic seconds, passed in."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._values: deque[tuple[float, float]] = deque()

    def add(self, now_s: float, value: float) -> None:
        self._values.append((now_s, value))
        self._forget(now_s)

    def values(self, now_s: float) -> list[float]:
        self._forget(now_s)
        return [value for _, value in self._values]

    def per_s(self, now_s: float, running_s: float) -> float:
        """Values a second; `running_s` is since when there could have been any."""
        return len(self.values(now_s)) / max(1e-9, min(self._keep_s, running_s))

    def _forget(self, now_s: float) -> None:
        while self._values and self._values[0][0] < now_s - self._keep_s:
            self._values.popleft()


def quantile(values: Iterable[float], ratio: float) -> float | None:
    """The smallest value that at least `ratio` of the values do not exceed, or None without any."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(ratio * len(ordered)) - 1)] if ordered else None
