"""A site's model server: `slots` requests at a time, first come first served, any service time (M/G/c)."""

from collections.abc import Callable
from heapq import heapreplace
from typing import Any

from edgemind.simulation.clock import Action, VirtualClock


class Station:
    """Serves in order of arrival. Its queue is unbounded: admission is the gateways' business."""

    __slots__ = ("_clock", "_free_at_ms", "_service_ms_at", "slots")

    def __init__(self, clock: VirtualClock, slots: int, service_ms_at: Callable[[float], float]) -> None:
        """`service_ms_at` is the mean service time at a virtual time."""
        self._clock = clock
        self._service_ms_at = service_ms_at
        self.slots = slots
        # When each slot will have finished all that arrived before now, as a heap. First come, first served means that
        # a request's start is known when it arrives, which saves a queue and an event for each request.
        self._free_at_ms = [0.0] * slots

    def take(self, work: float, done: Action, *arguments: Any) -> None:
        """Serve one request of `work` times the mean service time, then call `done(*arguments)`."""
        start_ms = max(self._clock.now_ms, self._free_at_ms[0])
        finish_ms = start_ms + work * self._service_ms_at(start_ms)
        heapreplace(self._free_at_ms, finish_ms)
        self._clock.at(finish_ms, done, *arguments)
