"""The machine's clocks."""

import time


class SystemClock:
    """`ports.clock.Clock` on the operating system."""

    def monotonic_s(self) -> float:
        return time.monotonic()

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000
