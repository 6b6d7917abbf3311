"""Virtual time: an event heap. Nothing here reads a wall clock or sleeps; equal inputs replay equal histories."""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

Action = Callable[..., None]


class VirtualClock:
    """The simulated present, in milliseconds since the start of the run, and what is still to happen."""

    __slots__ = ("_events", "_sequence", "now_ms")

    def __init__(self) -> None:
        self.now_ms = 0.0
        # The sequence number keeps simultaneous events in the order in which they were scheduled.
        self._events: list[tuple[float, int, Action, tuple[Any, ...]]] = []
        self._sequence = 0

    def at(self, when_ms: float, action: Action, *arguments: Any) -> None:
        self._sequence += 1
        heappush(self._events, (when_ms, self._sequence, action, arguments))

    def run(self, until_ms: float, stream: Iterable[tuple[float, Any]] = (), consume: Action | None = None) -> None:
        """Let time pass to `until_ms`. `stream` yields (when_ms, item) in order; each item goes to `consume`.

        The stream is merged into the events rather than pushed through the heap: arrivals are a third of all events.
        """
        for when_ms, item in stream:
            if when_ms >= until_ms:
                break
            self._run_events(when_ms)
            self.now_ms = when_ms
            if consume is not None:
                consume(item)
        self._run_events(until_ms)
        self.now_ms = until_ms

    def _run_events(self, until_ms: float) -> None:
        events = self._events
        while events and events[0][0] <= until_ms:
            self.now_ms, _, action, arguments = heappop(events)
            action(*arguments)
