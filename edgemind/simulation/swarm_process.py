"""A controller process of the swarm: the real member, a clock of its own, and the ways in which it can stop."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from edgemind.domain.swarm.member import SwarmMember
from edgemind.domain.swarm.protocol import (
    Answer,
    Answered,
    AskVoter,
    Effect,
    Ended,
    Event,
    Execute,
    Learned,
    Ranked,
    Request,
    Send,
    StoreCall,
    Tick,
)
from edgemind.simulation.clock import VirtualClock

ALARM_LATE_MS = 1e-6


class Life(Enum):
    RUNNING = auto()
    PAUSED = auto()
    DEAD = auto()


@dataclass(slots=True)
class Strike:
    """Stop the process when it has carried out `after` effects of a kind (a message's or a request's class)."""

    kind: type
    after: int
    pause: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a process reaches the world. `depth` counts the store calls, one after another, that led here."""

    clock: VirtualClock
    send: Callable[["Process", Send, int], None]
    call: Callable[[Request, Callable[[Answer], None]], None]
    rank: Callable[["Process", AskVoter], tuple[str, ...]]
    learned: Callable[["Process", Learned, int], None]
    execute: Callable[["Process", Execute], None]
    stopped: Callable[["Process"], None]


class Process:
    """`offset_ms`: how far its clock is from the world's."""

    def __init__(self, site: str, member: SwarmMember, around: Surroundings, offset_ms: float) -> None:
        self.site = site
        self.member = member
        self.life = Life.RUNNING
        self.strike: Strike | None = None
        self.depth = 0
        self._around = around
        self._offset_ms = offset_ms
        self._waiting: deque[tuple[Event, int]] = deque()
        self._unfinished: deque[Effect] = deque()
        self._alarm_ms = float("inf")

    def happen(self, event: Event, depth: int) -> None:
        """An event reaches the process: handled, kept while it is paused, or lost."""
        if self.life is Life.PAUSED:
            self._waiting.append((event, depth))
        elif self.life is Life.RUNNING:
            self.depth = max(self.depth, depth)
            self._unfinished.extend(self.member.step(event, self._around.clock.now_ms + self._offset_ms))
            self._work()

    def stop(self, life: Life) -> None:
        self.life = life

    def resume(self) -> None:
        """Go on where it was, as if no time had passed: first what it was about to do, then what it has missed."""
        if self.life is not Life.PAUSED:
            return
        self.life = Life.RUNNING
        self._work()
        while self._waiting and self.life is Life.RUNNING:
            self.happen(*self._waiting.popleft())

    def _work(self) -> None:
        while self._unfinished and not self._struck(0):
            effect = self._unfinished.popleft()
            self._carry_out(effect)
            if self._struck(1, effect):
                break
        self._set_alarm()

    def _struck(self, done: int, effect: Effect | None = None) -> bool:
        """Whether this is the moment to stop: before an effect of the kind (`done` 0), or after the last one (1)."""
        strike = self.strike
        if strike is None:
            return False
        if not isinstance(_subject(effect or self._unfinished[0]), strike.kind):
            return False
        strike.after -= done
        if strike.after > 0:
            return False
        self.strike = None
        self.stop(Life.PAUSED if strike.pause else Life.DEAD)
        self._around.stopped(self)
        return True

    def _carry_out(self, effect: Effect) -> None:
        around, depth = self._around, self.depth
        match effect:
            case Send():
                around.send(self, effect, depth)
            case StoreCall():
                around.call(effect.request, partial(self._reply, effect, depth + 1))
            case AskVoter():
                ranking = around.rank(self, effect)
                around.clock.at(around.clock.now_ms, self.happen, Ranked(effect.fence, ranking), depth)
            case Learned():
                around.learned(self, effect, depth)
            case Execute():
                around.execute(self, effect)
            case Ended():
                pass

    def _reply(self, call: StoreCall, depth: int, answer: Answer) -> None:
        self.happen(Answered(call.call, call.copy, answer), depth)

    def _set_alarm(self) -> None:
        wake_ms = self.member.wake_ms
        if wake_ms is None or self.life is Life.DEAD:
            return
        clock = self._around.clock
        # A little late, never early by a rounding of the two clocks: an alarm that came too soon would come for ever.
        due_ms = max(clock.now_ms, wake_ms - self._offset_ms) + ALARM_LATE_MS
        if due_ms < self._alarm_ms:
            self._alarm_ms = due_ms
            clock.at(due_ms, self._alarm, due_ms)

    def _alarm(self, due_ms: float) -> None:
        if due_ms == self._alarm_ms:
            self._alarm_ms = float("inf")
            self.happen(Tick(), self.depth)


def _subject(effect: Effect) -> object:
    """What a strike looks at."""
    if isinstance(effect, Send):
        return effect.message
    return effect.request if isinstance(effect, StoreCall) else effect
