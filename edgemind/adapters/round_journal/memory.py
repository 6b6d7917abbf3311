"""Records of rounds for as long as the process lives."""

from threading import Lock

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.ports.round_journal import RECORDS_KEPT


class MemoryRoundJournal:
    """`RoundJournal` that keeps the newest by fence, whatever order they come in."""

    def __init__(self, kept: int = RECORDS_KEPT) -> None:
        self._kept = kept
        self._records: dict[Fence, RoundRecord] = {}
        self._lock = Lock()

    def keep(self, record: RoundRecord) -> None:
        with self._lock:
            self._records[record.fence] = record
            if len(self._records) > self._kept:
                del self._records[min(self._records)]

    def recent(self, limit: int, before: Fence | None) -> list[RoundRecord]:
        with self._lock:
            fences = sorted((fence for fence in self._records if before is None or fence < before), reverse=True)
            return [self._records[fence] for fence in fences[:limit]]

    def find(self, fence: Fence) -> RoundRecord | None:
        with self._lock:
            return self._records.get(fence)
