"""A clock that stands still until a test moves it."""

import time


class ManualClock:
    """`ports.clock.Clock`; both times move together."""

    def __init__(self, wall_ms: int = 1_700_000_000_000) -> None:
        self._start_ms = wall_ms
        self._passed_s = 0.0

    def advance(self, seconds: float) -> None:
        self._passed_s += seconds

    def monotonic_s(self) -> float:
        return self._passed_s

    def wall_ms(self) -> int:
        return self._start_ms + round(self._passed_s * 1000)


class RunningClock(ManualClock):
    """Goes on by itself: for what lives on an event loop's own timers."""

    def __init__(self) -> None:
        super().__init__()
        self._began_s = time.monotonic()

    def monotonic_s(self) -> float:
        return super().monotonic_s() + time.monotonic() - self._began_s
