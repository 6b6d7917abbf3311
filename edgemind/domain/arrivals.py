"""Demand smoothed over time: a table that followed every single request would never be the same twice."""

import math
from collections.abc import Mapping


class DecayedArrivals:
    """Arrivals per second by model, as exponentially decayed means over about `time_constant_s`.

    Smoothed where they are measured and published in the beacon, so that every controller fills its table from the same
    numbers. Times are monotonic seconds, passed in.
    """

    __slots__ = ("_per_s", "_time_constant_s", "_updated_s")

    def __init__(self, now_s: float, time_constant_s: float = 1.0) -> None:
        self._per_s: dict[str, float] = {}
        self._updated_s = now_s
        self._time_constant_s = time_constant_s

    def observe(self, now_s: float, per_s: Mapping[str, float]) -> None:
        """The rates measured now; a model that is missing has none."""
        weight = 1.0 - math.exp(-max(0.0, now_s - self._updated_s) / self._time_constant_s)
        self._updated_s = now_s
        for model in {*self._per_s, *per_s}:
            old = self._per_s.get(model, 0.0)
            self._per_s[model] = old + weight * (per_s.get(model, 0.0) - old)
        # Names come from clients' requests by way of the gateway: those that nobody asks for any more are forgotten.
        self._per_s = {model: rate for model, rate in self._per_s.items() if rate > 1e-3 or model in per_s}

    def per_s(self, model: str) -> float:
        return self._per_s.get(model, 0.0)
