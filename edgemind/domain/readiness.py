"""Whether a model server is ready, from active checks: slow to give up on a busy server, quick when nobody listens."""

from enum import Enum


class ProbeOutcome(Enum):
    """SLOW is a check without an answer in time: a server deep in inference does that and is not therefore down."""

    READY = "ready"
    LOADING = "loading"
    REFUSED = "refused"
    SLOW = "slow"


_FAILURES_TO_GIVE_UP = {ProbeOutcome.LOADING: 1, ProbeOutcome.REFUSED: 2, ProbeOutcome.SLOW: 4}


class Readiness:
    """The state of one address. Before the first check it counts as ready: a restarted controller has no news yet."""

    __slots__ = ("_failures", "_was_ready", "ready")

    def __init__(self) -> None:
        self.ready = True
        self._failures = 0
        self._was_ready = False

    def observe(self, outcome: ProbeOutcome) -> None:
        if outcome is ProbeOutcome.READY:
            self.ready = self._was_ready = True
            self._failures = 0
            return
        self._failures += 1
        # A server that never answered has no credit to lose.
        if not self._was_ready or self._failures >= _FAILURES_TO_GIVE_UP[outcome]:
            self.ready = False
