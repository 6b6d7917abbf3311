"""Every timer of a round. They are what a store call of 5 ms and a hop of 4 ms need, and stretch with slower ones."""

from dataclasses import dataclass

from edgemind.domain.kpi import BY_NAME, Tier

STORE_MS, HOP_MS = 5.0, 4.0
"""The round trip to the store, and one way between two sites, at which the timers are as designed."""
SEQUENTIAL_CALLS, SEQUENTIAL_HOPS = 3, 2
TARGET_MS = BY_NAME["swarm_coordination_ms"].limits[Tier.PRODUCTION].target
"""Within this a round should be decided."""
_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Timers:
    """In milliseconds since a site heard of the breach, except `hedge`, `hedge_again`, `rehint`, `recover` and
    `chance`, which are durations."""

    hedge: float = 12.0
    """A store call without an answer is sent once more."""
    hedge_again: float = 8.0
    """And again, sooner: that one copy is slow is likely, that two are is not, so they are lost."""
    rehint: float = 18.0
    """Sites without a ballot are asked again, and again."""
    recover: float = 28.0
    """If a quorum is missing by then, ballots are read from the store: it may be the acknowledgements that are lost."""
    takeover: float = 35.0
    takeover_step: float = 12.0
    """The first deputy acts after `takeover`, each further one a step later."""
    soft: float = 40.0
    """From here on a quorum is enough, whoever is missing."""
    hard: float = 90.0
    """From here on a round without a quorum ends with KEEP."""
    chance: float = 25.0
    """However late it came, a coordinator collects this long before it gives up on a quorum."""
    give_up: float = 2000.0
    """A coordinator that could not finish by then leaves it to the next breach."""


DESIGNED = Timers()


class Pace:
    """Decayed means of measured store calls, and timers that follow them. Starts from the design's own figures."""

    __slots__ = ("_hop_ms", "_store_ms")

    def __init__(self, store_ms: float = STORE_MS, hop_ms: float = HOP_MS) -> None:
        self._store_ms = store_ms
        self._hop_ms = hop_ms

    @property
    def store_ms(self) -> float:
        return self._store_ms

    def observe_store(self, took_ms: float) -> None:
        """Of a call that was answered. One answer beyond four means counts as four: a tail is not the round trip."""
        self._store_ms += _WEIGHT * (min(took_ms, 4 * self._store_ms) - self._store_ms)

    def timers(self) -> Timers:
        round_ms = SEQUENTIAL_CALLS * self._store_ms + SEQUENTIAL_HOPS * self._hop_ms
        scale = max(1.0, round_ms / (SEQUENTIAL_CALLS * STORE_MS + SEQUENTIAL_HOPS * HOP_MS))
        slower = max(1.0, self._store_ms / STORE_MS)
        hedge, hedge_again = DESIGNED.hedge * slower, DESIGNED.hedge_again * slower
        # Who waits for stragglers leaves time to write the decision twice over, if the store gives that much.
        latest_soft = TARGET_MS - self._store_ms - hedge - hedge_again
        ballots_due = round_ms - self._store_ms + hedge / 2
        return Timers(
            hedge=hedge,
            hedge_again=hedge_again,
            rehint=DESIGNED.rehint * scale,
            recover=DESIGNED.recover * scale,
            takeover=DESIGNED.takeover * scale,
            takeover_step=DESIGNED.takeover_step * scale,
            soft=max(ballots_due, min(DESIGNED.soft * scale, latest_soft)),
            hard=DESIGNED.hard * scale,
            chance=DESIGNED.chance * scale,
            give_up=DESIGNED.give_up * scale,
        )
