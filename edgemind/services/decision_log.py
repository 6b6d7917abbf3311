"""The newest decisions of a site, as its gateway workers summed them up, newest first."""

from collections.abc import Iterable

from edgemind.domain.worker_reports import DecisionSummary
from edgemind.ports.peers import DecisionCursor

KEPT = 2000


class DecisionLog:
    """Bounded: when it is full the oldest are forgotten; their explanations are gone from the workers by then too."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._by_id: dict[str, DecisionSummary] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, decisions: Iterable[DecisionSummary]) -> None:
        """Insert, or replace what is known of the same decision: a later report knows how it ended."""
        for decision in sorted(decisions, key=lambda one: one.at_ms):
            self._by_id[decision.id] = decision
        while len(self._by_id) > self._kept:
            del self._by_id[next(iter(self._by_id))]

    def page(self, limit: int, before: DecisionCursor | None) -> list[DecisionSummary]:
        """At most `limit`, newest first, strictly before the cursor."""
        return newest_first(self._by_id.values(), limit, before)


def newest_first(
    decisions: Iterable[DecisionSummary], limit: int, before: DecisionCursor | None
) -> list[DecisionSummary]:
    """Ordered by time, then id: a total order, so that pages neither repeat nor skip what has the same millisecond."""
    older = (one for one in decisions if before is None or (one.at_ms, one.id) < before)
    return sorted(older, key=lambda one: (one.at_ms, one.id), reverse=True)[:limit]
