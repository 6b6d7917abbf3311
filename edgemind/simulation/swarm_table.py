"""The store as sites see it: the real in-memory store behind delays, losses and throttling; each write is audited."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.records import write_units
from edgemind.domain.swarm.protocol import Answer, Applied, Found, ReadBallots, ReadCurrent, Request, Trouble
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, Genesis, OpenRound, PutBallot
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.swarm_audit import Audit
from edgemind.simulation.swarm_parameters import Delays, StoreFaults

Reply = Callable[[Answer], None]


@dataclass(slots=True)
class Usage:
    calls: int = 0
    write_units: int = 0
    """Of 1 KB, by the size of what is written; estimated, as DynamoDB counts them."""


class SimulatedTable:
    def __init__(
        self, clock: VirtualClock, delays: Delays, faults: StoreFaults, rng: Random, store: MemorySwarmStore
    ) -> None:
        self._clock = clock
        self._delays = delays
        self._faults = faults
        self._rng = rng
        self._store = store
        self.audit = Audit()
        self.usage = Usage()
        store.genesis(Genesis())

    def restore(self, store: MemorySwarmStore, back: int) -> None:
        """A point-in-time restore to `back` rounds ago, which the operator ends by raising the epoch."""
        now = self._store.read_current().fence
        self._store = store
        store.genesis(Genesis(Fence(now.epoch + 1, max(0, now.round - back))))

    def call(self, request: Request, reply: Reply) -> None:
        """One call. `reply` is called once; after the time-out with UNKNOWN, whatever became of the request."""
        faults, delays, now_ms = self._faults, self._delays, self._clock.now_ms
        self.usage.calls += 1
        took_ms = self.draw_ms()
        fate = self._rng.random()
        if (fate := fate - faults.lost_before - faults.late - faults.lost_after) < 0:
            # From the end of the range: applied and the answer lost; applied much later; never applied.
            if fate >= -faults.lost_after:
                self._clock.at(now_ms + took_ms / 2, self._carry_out, request)
            elif fate >= -faults.lost_after - faults.late:
                self._later(request)
            return self._clock.at(now_ms + delays.timeout_ms, reply, Trouble.UNKNOWN)
        if fate < faults.throttled:
            return self._clock.at(now_ms + took_ms, reply, Trouble.THROTTLED)
        if faults.doubled and self._rng.random() < faults.doubled:
            self._later(request)
        return self._clock.at(now_ms + took_ms / 2, self._answer, request, reply, now_ms, took_ms)

    def draw_ms(self) -> float:
        """A round trip to the store that is not lost."""
        delays, rng = self._delays, self._rng
        took_ms = max(delays.store_floor_ms, rng.gauss(delays.store_ms, delays.store_sd_ms))
        return took_ms + (rng.expovariate(1 / delays.tail_mean_ms) if rng.random() < delays.tail_ratio else 0.0)

    def _later(self, request: Request) -> None:
        self._clock.at(self._clock.now_ms + self._rng.random() * self._faults.late_ms, self._carry_out, request)

    def _carry_out(self, request: Request) -> None:
        """Nobody hears what came of it."""
        self._apply(request)

    def _answer(self, request: Request, reply: Reply, sent_ms: float, took_ms: float) -> None:
        answer: Answer = self._apply(request)
        timeout_ms = self._delays.timeout_ms
        if took_ms > timeout_ms:
            answer, took_ms = Trouble.UNKNOWN, timeout_ms
        self._clock.at(max(self._clock.now_ms, sent_ms + took_ms), reply, answer)

    def _apply(self, request: Request) -> Answer:
        match request:
            case ReadCurrent():
                return Found(current=self._store.read_current())
            case ReadBallots(fence):
                return Found(ballots=tuple(self._store.read_ballots(fence)))
            case PutBallot():
                return self._vote(request)
            case OpenRound() | Decide() | Claim():
                return self._change(request)

    def _vote(self, write: PutBallot) -> Answer:
        self.usage.write_units += write_units(write.ballot)
        answer = self._store.put_ballot(write)
        if isinstance(answer, Applied):
            self.audit.voted(write.ballot, self._store.read_current().fence.epoch)
        return answer

    def _change(self, write: CurrentWrite) -> Answer:
        before = self._store.read_current()
        match write:
            case OpenRound():
                answer = self._store.open_round(write)
            case Decide():
                answer = self._store.decide(write)
            case Claim():
                answer = self._store.claim(write)
        self.usage.write_units += write_units(before, self._store.read_current())
        if isinstance(answer, Applied):
            self.audit.applied(write, before, self._store.read_ballots(before.fence), self._clock.now_ms)
        return answer
