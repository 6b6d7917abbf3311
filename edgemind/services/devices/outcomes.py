"""How one device request ended."""

from dataclasses import dataclass
from enum import StrEnum

from edgemind.domain.device_mixes import Activity


class Result(StrEnum):
    """OK: a usable answer, late or not. SHED: refused for now by a gateway. FAILED: everything else."""

    OK = "ok"
    SHED = "shed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`home` is the device's own site, whichever ingress it was attached to. Times in ms are from the first sending.

    `site` and `reason` are the receipt's: where it ran and why, or why it was shed. `added_ms` is the time to the first
    body byte less the model's own, None if the answer does not say that. `moves` counts ingresses given up on the way.
    """

    activity: Activity
    home: str
    result: Result
    ended_s: float
    total_ms: float
    site: str | None = None
    reason: str | None = None
    decision_id: str | None = None
    added_ms: float | None = None
    moves: int = 0
    why: str | None = None

    @property
    def in_time(self) -> bool:
        """Whether it was answered within its own deadline."""
        return self.result is Result.OK and self.total_ms <= self.activity.deadline_ms
