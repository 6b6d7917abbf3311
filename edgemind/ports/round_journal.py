"""Where a site keeps its records of rounds. The newest 500 can be read; a metro decides nothing by them."""

from collections.abc import Sequence
from typing import Protocol

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence

RECORDS_KEPT = 500


class RoundJournal(Protocol):
    """One site's. `keep` may block on a disk and comes from a thread; reads do not block and come from others."""

    def keep(self, record: RoundRecord) -> None:
        """In place of what is kept of the same round.

        StoreUnavailable if it will not outlive this process; it can be read all the same.
        """

    def recent(self, limit: int, before: Fence | None) -> Sequence[RoundRecord]:
        """At most `limit` of the newest, newest first, strictly before a fence."""

    def find(self, fence: Fence) -> RoundRecord | None: ...
