"""Which upstreams are trusted: a circuit per upstream that failures open, time half-opens and one success closes."""

from dataclasses import dataclass
from enum import Enum


class Circuit(Enum):
    """CLOSED serves; OPEN is ejected; HALF_OPEN may be tried; TRIAL has its one request under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    TRIAL = "trial"


@dataclass(frozen=True, slots=True)
class EjectionRule:
    """When an upstream is ejected and for how long.

    `consecutive` failures in a row eject it, and so does a failure ratio above `failure_ratio` over the last
    `window` answers. The first ejection lasts `base_s`, each further one twice as long, up to `max_s`.
    """

    consecutive: int = 3
    window: int = 20
    failure_ratio: float = 0.5
    base_s: float = 1.0
    max_s: float = 30.0


class UpstreamHealth:
    """The circuit of one upstream. Times are monotonic seconds, passed in."""

    __slots__ = ("_consecutive", "_ejections", "_open_until_s", "_outcomes", "_rule", "circuit")

    def __init__(self, rule: EjectionRule) -> None:
        self._rule = rule
        self._outcomes = 0
        self._consecutive = 0
        self._ejections = 0
        self._open_until_s = 0.0
        self.circuit = Circuit.CLOSED

    @property
    def selectable(self) -> bool:
        return self.circuit is Circuit.CLOSED or self.circuit is Circuit.HALF_OPEN

    @property
    def clean(self) -> bool:
        """Nothing to record on a success: the hot path's only question."""
        return not self._outcomes and self.circuit is Circuit.CLOSED

    def picked(self) -> None:
        """A request goes there; a half-open circuit admits just this one."""
        if self.circuit is Circuit.HALF_OPEN:
            self.circuit = Circuit.TRIAL

    def succeeded(self) -> None:
        """One good answer. While the circuit is open it was asked for before the failures, and tells nothing new."""
        if self.circuit is Circuit.OPEN:
            return
        self._consecutive = 0
        self._outcomes = (self._outcomes << 1) & ((1 << self._rule.window) - 1)
        if self.circuit is not Circuit.CLOSED:
            self._ejections = 0
            self._outcomes = 0
            self.circuit = Circuit.CLOSED

    def abandoned(self) -> None:
        """The request ended without telling anything (the client hung up): a trial may be tried again."""
        if self.circuit is Circuit.TRIAL:
            self.circuit = Circuit.HALF_OPEN

    def failed(self, now_s: float, *, unreachable: bool = False) -> None:
        """One failure. `unreachable` (connection refused) ejects at once: there is nothing left to count."""
        self._consecutive += 1
        self._outcomes = ((self._outcomes << 1) | 1) & ((1 << self._rule.window) - 1)
        too_many = self._outcomes.bit_count() > self._rule.failure_ratio * self._rule.window
        if unreachable or too_many or self._consecutive >= self._rule.consecutive or self.circuit is not Circuit.CLOSED:
            self._open(now_s)

    def tick(self, now_s: float) -> bool:
        """Let time pass; True if the circuit became half-open."""
        if self.circuit is Circuit.OPEN and now_s >= self._open_until_s:
            self.circuit = Circuit.HALF_OPEN
            return True
        return False

    def _open(self, now_s: float) -> None:
        if self.circuit is Circuit.OPEN:
            return
        # The exponent is bounded: an upstream that is down for a day would else overflow the float.
        doubled_s = self._rule.base_s * 2 ** min(self._ejections, 30)
        self._open_until_s = now_s + min(doubled_s, self._rule.max_s)
        self._ejections += 1
        self.circuit = Circuit.OPEN
