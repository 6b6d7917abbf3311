"""Time as an argument: services ask a clock, so that tests and the simulator own it."""

from typing import Protocol


class Clock(Protocol):
    def monotonic_s(self) -> float:
        """Seconds that never go back; differences only."""

    def wall_ms(self) -> int:
        """Milliseconds since the epoch, for people and for records; never for measuring."""
