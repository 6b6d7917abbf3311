"""Who is there: the state of each neighbour from the age and the fate of its beacons, and how far away it is."""

from dataclasses import dataclass
from enum import StrEnum


class SiteState(StrEnum):
    """ALIVE sites are in the table; SUSPECTED ones are not, until they answer; GONE ones are asked less often.

    DRAINING sites are alive and take no new work. DECLARED ones have no controller to ask: somebody else's servers.
    """

    ALIVE = "alive"
    SUSPECTED = "suspected"
    GONE = "gone"
    DRAINING = "draining"
    DECLARED = "declared"


SERVING = frozenset({SiteState.ALIVE, SiteState.DECLARED})
"""Sites that new requests may go to."""


@dataclass(frozen=True, slots=True)
class MembershipRule:
    """When a neighbour is suspected and when it is given up; whatever comes first.

    `refusals` beacons in a row to which nobody listens, or `failures` in a row that fail in any way, or no answer for
    `stale_ms`. A refusal counts faster because a busy machine is slow to answer but never refuses.
    """

    stale_ms: float = 1000.0
    gone_ms: float = 30_000.0
    failures: int = 5
    refusals: int = 2


class PeerMembership:
    """What one neighbour's answers say about it. Times are monotonic seconds, passed in."""

    __slots__ = ("_answered_s", "_failures", "_refusals", "_rule", "heard")

    def __init__(self, rule: MembershipRule, now_s: float) -> None:
        self._rule = rule
        # Not heard yet is not dead: a controller that starts gives every neighbour as long as one that fell silent.
        self._answered_s = now_s
        self._failures = 0
        self._refusals = 0
        self.heard = False

    def answered(self, now_s: float) -> None:
        self._answered_s = now_s
        self._failures = 0
        self._refusals = 0
        self.heard = True

    def failed(self, *, refused: bool) -> None:
        """One beacon that got no answer; `refused` if nobody listens there."""
        self._failures += 1
        self._refusals = self._refusals + 1 if refused else 0

    @property
    def failing(self) -> bool:
        """The last beacon got no answer."""
        return self._failures > 0

    def age_ms(self, now_s: float) -> float:
        """Since the last answer; since the start if there was none."""
        return max(0.0, now_s - self._answered_s) * 1000.0

    def state(self, now_s: float) -> SiteState:
        """ALIVE, SUSPECTED or GONE. One answer brings a neighbour back from either."""
        age_ms = self.age_ms(now_s)
        if age_ms > self._rule.gone_ms:
            return SiteState.GONE
        if (
            age_ms > self._rule.stale_ms
            or self._refusals >= self._rule.refusals
            or self._failures >= self._rule.failures
        ):
            return SiteState.SUSPECTED
        return SiteState.ALIVE


class RoundTripEstimate:
    """A decayed minimum of measured round trips, in milliseconds, starting from the declared prior.

    A busy receiver only ever makes a round trip longer, so the shortest is the truest; it fades by `rise_ratio` per
    measurement so that a path that became longer is believed in the end.
    """

    __slots__ = ("_rise_ratio", "measured", "ms")

    def __init__(self, prior_ms: float, rise_ratio: float = 0.02) -> None:
        self.ms = prior_ms
        self.measured = False
        self._rise_ratio = rise_ratio

    def observe(self, round_trip_ms: float) -> None:
        if not self.measured or round_trip_ms < self.ms:
            self.ms = round_trip_ms
        else:
            self.ms += self._rise_ratio * (round_trip_ms - self.ms)
        self.measured = True
