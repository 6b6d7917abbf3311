"""What became of the requests of one or more runs."""

from array import array
from dataclasses import dataclass

SOON_MS = 50.0
"""Within this, a request counts as answered in time: the production target, here with the service time included."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Latency is round trip + waiting + service, of the answered requests; the ratios are of all requests."""

    p50_ms: float
    p99_ms: float
    within_50ms: float
    flash_within_50ms: float
    requests: int
    shed: int


class Outcomes:
    """Latencies by when the request was sent: during the flash crowd, or not. Those of the warm-up are not counted."""

    def __init__(self) -> None:
        self._calm_ms = array("d")
        self._flash_ms = array("d")
        self._calm_shed = 0
        self._flash_shed = 0

    def answered(self, latency_ms: float, *, in_flash: bool) -> None:
        (self._flash_ms if in_flash else self._calm_ms).append(latency_ms)

    def shed(self, *, in_flash: bool) -> None:
        if in_flash:
            self._flash_shed += 1
        else:
            self._calm_shed += 1

    def add(self, other: "Outcomes") -> None:
        self._calm_ms.extend(other._calm_ms)
        self._flash_ms.extend(other._flash_ms)
        self._calm_shed += other._calm_shed
        self._flash_shed += other._flash_shed

    def latencies_ms(self) -> list[float]:
        """Of all answered requests, in rising order."""
        return sorted([*self._calm_ms, *self._flash_ms])

    def summary(self) -> Summary:
        ordered = self.latencies_ms()
        shed = self._calm_shed + self._flash_shed
        in_flash = len(self._flash_ms) + self._flash_shed
        soon_in_flash = sum(latency_ms <= SOON_MS for latency_ms in self._flash_ms)
        soon = soon_in_flash + sum(latency_ms <= SOON_MS for latency_ms in self._calm_ms)
        return Summary(
            p50_ms=_quantile(ordered, 0.5),
            p99_ms=_quantile(ordered, 0.99),
            within_50ms=soon / max(1, len(ordered) + shed),
            flash_within_50ms=soon_in_flash / max(1, in_flash),
            requests=len(ordered) + shed,
            shed=shed,
        )


def _quantile(ordered: list[float], quantile: float) -> float:
    return ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else 0.0
