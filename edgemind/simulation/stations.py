"""A site's model server: `slots` requests at a time, first come first served (M/G/c)."""

from collections.abc import Callable
from heapq import heapreplace
from typing import Any

from edgemind.simulation.clock import VirtualClock

Slowdown = Callable[[float], float]
"""Virtual time in ms -> factor on service times (1 when healthy)."""


class Station:
    """First come, first served by `slots` servers. Every queue is unbounded: admission is the router's business."""

    __slots__ = ("_clock", "_slowdown", "free_at_ms", "in_flight", "service_ms", "slots")

    def __init__(self, clock: VirtualClock, slots: int, service_ms: float, slowdown: Slowdown) -> None:
        self._clock = clock
        self._slowdown = slowdown
        self.slots = slots
        self.service_ms = service_ms
        self.in_flight = 0
        # When each slot will have finished everything queued before now, as a heap. In FIFO order a request's start
        # is known when it arrives, which saves an explicit queue and an event.
        self.free_at_ms = [0.0] * slots

    def take(self, work: float, done: Callable[..., None], *arguments: Any) -> None:
        """Serve one request of `work` x the mean service time; call `done(*arguments)` when it is finished."""
        start_ms = max(self._clock.now_ms, self.free_at_ms[0])
        finish_ms = start_ms + work * self.service_ms * self._slowdown(start_ms)
        heapreplace(self.free_at_ms, finish_ms)
        self.in_flight += 1
        self._clock.at(finish_ms, self._finish, done, arguments)

    def _finish(self, done: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.in_flight -= 1
        done(*arguments)
