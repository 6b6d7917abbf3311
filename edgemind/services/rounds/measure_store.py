"""How long the swarm's store takes to answer from here. Only reads: a metro's rounds go on undisturbed."""

from dataclasses import dataclass

from edgemind.domain.samples import quantile
from edgemind.ports.clock import Clock
from edgemind.ports.swarm_store import NotProvisioned, OutcomeUnknown, SwarmStore, Throttled

WARM_UP_CALLS = 3
"""Connecting, and finding the table and the credentials, is not part of a round."""


@dataclass(frozen=True, slots=True)
class StoreTimes:
    """Of reads one after another. `unanswered`: without an answer in time, or throttled; they are in no quantile."""

    took_ms: tuple[float, ...]
    unanswered: int
    provisioned: bool

    @property
    def p50_ms(self) -> float | None:
        return quantile(self.took_ms, 0.5)

    @property
    def p99_ms(self) -> float | None:
        return quantile(self.took_ms, 0.99)


def measure_store(store: SwarmStore, clock: Clock, calls: int) -> StoreTimes:
    """Raises StoreUnavailable or StateCorrupt, which the next call would meet as well."""
    took_ms: list[float] = []
    unanswered = 0
    provisioned = True
    for number in range(WARM_UP_CALLS + calls):
        started_s = clock.monotonic_s()
        try:
            store.read_current()
        except NotProvisioned:
            # It did answer, and that takes as long.
            provisioned = False
        except (OutcomeUnknown, Throttled):
            unanswered += number >= WARM_UP_CALLS
            continue
        if number >= WARM_UP_CALLS:
            took_ms.append((clock.monotonic_s() - started_s) * 1000)
    return StoreTimes(tuple(took_ms), unanswered, provisioned)
