"""The machine's clocks."""

import time


class SystemClock:
    """`ports.clock.Clock` on the operating system."""

    # The function itself: asked five times per request, a method around it would show.
    monotonic_s = staticmethod(time.monotonic)

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000
