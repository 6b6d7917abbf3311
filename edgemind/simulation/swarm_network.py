"""Messages between sites: delayed, and lost, late, doubled or cut off in one direction, as the faults say."""

from collections.abc import Callable
from random import Random

from edgemind.domain.swarm.messages import Message
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.swarm_parameters import Delays, PeerFaults

Deliver = Callable[[str, Message, int], None]


class SwarmNetwork:
    """`deaf` hear nobody, `mute` are heard by nobody; both are one-way partitions."""

    def __init__(self, clock: VirtualClock, delays: Delays, faults: PeerFaults, rng: Random, deliver: Deliver) -> None:
        self._clock = clock
        self._delays = delays
        self._faults = faults
        self._rng = rng
        self._deliver = deliver
        self.deaf: set[str] = set()
        self.mute: set[str] = set()

    def send(self, sender: str, to: str, message: Message, depth: int) -> None:
        """`depth`: how many store calls, one after another, led to this message."""
        faults, rng = self._faults, self._rng
        if sender in self.mute or to in self.deaf or rng.random() < faults.lost:
            return
        late_ms = rng.random() * faults.late_ms if rng.random() < faults.late else 0.0
        self._arrive(to, message, depth, late_ms)
        if rng.random() < faults.doubled:
            self._arrive(to, message, depth, rng.random() * faults.late_ms)

    def _arrive(self, to: str, message: Message, depth: int, late_ms: float) -> None:
        delays = self._delays
        hop_ms = max(delays.hop_floor_ms, self._rng.gauss(delays.hop_ms, delays.hop_sd_ms))
        self._clock.at(self._clock.now_ms + hop_ms + late_ms, self._deliver, to, message, depth)
