"""What came of rounds, in plain counters: read by the controller's metrics endpoint."""

from collections import Counter, deque
from collections.abc import Iterable

from edgemind.domain.histogram import Histogram
from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.records import Action, Fence
from edgemind.domain.swarm.round_drafts import FORGOTTEN, ROUNDS_KEPT

TIMED_OUT, LEFT = "timed_out", "left"
OUTCOMES = (*(action.value for action in Action), TIMED_OUT, LEFT)
"""LEFT: given up without an outcome, because the store or a quorum was out of reach."""
DECIDED_KEPT = 1000
"""Times that wait for who takes them; of more, the oldest are forgotten."""
EFFECT_STATES = ("applied", "refused", "failed", "undone")


class RoundCounts:
    """Of rounds that this process coordinated. `known` are records of before it started: they are not counted again.

    A coordinator is the site whose decision stands, so that over all sites each round is counted once.
    """

    def __init__(self, known: Iterable[RoundRecord] = ()) -> None:
        self._before = max((record.fence for record in known), default=Fence(0, 0))
        self._counted: dict[Fence, None] = {}
        self.outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.effects: Counter[str] = Counter(dict.fromkeys(EFFECT_STATES, 0))
        self.decided = Histogram()
        self._decided_ms: deque[float] = deque(maxlen=DECIDED_KEPT)

    def round(self, record: RoundRecord) -> None:
        """A record as it is handed over, which may be many times."""
        outcome = _outcome(record)
        if outcome is None or record.fence <= self._before or record.fence in self._counted:
            return
        self._counted[record.fence] = None
        while len(self._counted) > 2 * ROUNDS_KEPT:
            self._before = max(self._before, min(self._counted))
            del self._counted[min(self._counted)]
        self.outcomes[outcome] += 1
        if record.decided_ms is not None and outcome != TIMED_OUT:
            self.decided.observe(record.decided_ms)
            self._decided_ms.append(record.decided_ms)

    def take_decided(self) -> list[float]:
        """How long rounds took that were decided since this was asked last, in milliseconds."""
        taken = list(self._decided_ms)
        self._decided_ms.clear()
        return taken

    def effect(self, report: EffectReport) -> None:
        self.effects[report.state] += 1


def _outcome(record: RoundRecord) -> str | None:
    """None for a round that another site ends, and while it is under way."""
    if record.outcome is None:
        return LEFT if record.ended is not None and record.ended != FORGOTTEN else None
    if not record.coordinated:
        return None
    return TIMED_OUT if record.outcome.timed_out else record.outcome.candidate.action.value
