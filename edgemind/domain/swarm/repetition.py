"""One store call, sent until its outcome is known: hedged when slow, repeated when lost, backed off when throttled.

Every request may be sent any number of times: the store's conditions make a second application impossible, and a
refusal carries the item, in which the writer finds its own nonce.
"""

from collections.abc import Iterator
from itertools import count

from edgemind.domain.swarm.pace import Pace
from edgemind.domain.swarm.protocol import Answer, Answered, Conclusion, Request, StoreCall, Trouble

COPIES_LIMIT = 6
"""Copies of one call under way at once: more would only load a store that is slow already."""
_BACK_OFF = 2.0
_BACK_OFF_LIMIT = 16.0


class RepeatedCall:
    """Times are the owner's monotonic milliseconds."""

    __slots__ = ("_back_off", "_copies", "_next_ms", "_number", "_pace", "_sent_ms", "request")

    def __init__(self, number: int, request: Request, pace: Pace) -> None:
        self.request = request
        self._number = number
        self._pace = pace
        self._copies = 0
        self._sent_ms: dict[int, float] = {}
        """When each copy was sent that is still without an answer."""
        self._next_ms = 0.0
        self._back_off = 1.0

    @property
    def wake_ms(self) -> float | None:
        return self._next_ms if len(self._sent_ms) < COPIES_LIMIT else None

    def send(self, now_ms: float) -> StoreCall:
        self._copies += 1
        self._sent_ms[self._copies] = now_ms
        timers = self._pace.timers()
        self._next_ms = now_ms + (timers.hedge if self._copies == 1 else timers.hedge_again)
        return StoreCall(self._number, self._copies, self.request)

    def due(self, now_ms: float) -> bool:
        wake_ms = self.wake_ms
        return wake_ms is not None and wake_ms <= now_ms

    def answered(self, copy: int, answer: Answer, now_ms: float) -> Conclusion | None:
        """The call's outcome, if this answer brings it; else when to send again has been set."""
        sent_ms = self._sent_ms.pop(copy, None)
        if not isinstance(answer, Trouble):
            if sent_ms is not None:
                self._pace.observe_store(now_ms - sent_ms)
            return answer
        if answer is Trouble.THROTTLED:
            # Not applied, and more of the same would only be refused: the next one waits longer each time.
            self._next_ms = now_ms + self._back_off * self._pace.store_ms
            self._back_off = min(_BACK_OFF * self._back_off, _BACK_OFF_LIMIT)
        else:
            self._next_ms = min(self._next_ms, now_ms)
        return None


class StoreCalls:
    """A member's calls without an outcome yet, by number."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._numbers: Iterator[int] = count(1)
        self._calls: dict[int, RepeatedCall] = {}

    @property
    def wake_ms(self) -> float | None:
        return min((ms for call in self._calls.values() if (ms := call.wake_ms) is not None), default=None)

    def start(self, request: Request, now_ms: float) -> StoreCall:
        number = next(self._numbers)
        call = self._calls[number] = RepeatedCall(number, request, self._pace)
        return call.send(now_ms)

    def forget(self, request: Request | None) -> None:
        """Its outcome no longer matters: send no more of it. Copies under way may still be applied."""
        for number in [number for number, call in self._calls.items() if call.request is request]:
            del self._calls[number]

    def answered(self, event: Answered, now_ms: float) -> tuple[Request, Conclusion] | None:
        """The request that this answer concludes, with its outcome. Answers to calls already concluded say nothing."""
        call = self._calls.get(event.call)
        conclusion = call.answered(event.copy, event.answer, now_ms) if call is not None else None
        if call is None or conclusion is None:
            return None
        del self._calls[event.call]
        return call.request, conclusion

    def tick(self, now_ms: float) -> list[StoreCall]:
        return [call.send(now_ms) for call in self._calls.values() if call.due(now_ms)]
