"""Entries for as long as the process lives: tests, and a fleet whose journal is switched off."""

from collections import deque
from collections.abc import Mapping

from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.status import AuditStatus
from edgemind.domain.audit.subjects import concerns

KEPT = 10_000


class MemoryAuditJournal:
    """`SiteAudit` that keeps the newest entries."""

    def __init__(self, kept: int = KEPT) -> None:
        self.entries: deque[AuditEntry] = deque(maxlen=kept)
        self._records = 0
        self._dropped = 0
        self._lost_tagged = 0

    @property
    def status(self) -> AuditStatus:
        return AuditStatus(True, records=self._records, dropped=self._dropped, lost_tagged=self._lost_tagged)

    def record(self, entry: AuditEntry) -> None:
        self._records += 1
        self.entries.append(entry)

    def lost(self, tagged: int, sampled: int) -> None:
        self._dropped += tagged + sampled
        self._lost_tagged += tagged

    def find_decision(self, decision_id: str) -> Mapping[str, object] | None:
        for entry in reversed(self.entries):
            if entry.kind is EntryKind.DECISION and entry.body.get("id") == decision_id:
                return {**entry.body, "personal": entry.personal}
        return None

    def erase(self, key: str, asked_by: str) -> int:
        found = [entry for entry in self.entries if concerns(entry.subject, key)]
        kept = [
            AuditEntry(one.kind, one.at_ms, one.site, one.body) if concerns(one.subject, key) else one
            for one in self.entries
        ]
        self.entries = deque(kept, maxlen=self.entries.maxlen)
        return len(found)

    def close(self) -> None:
        """Nothing is held open."""


class NoAuditJournal(MemoryAuditJournal):
    """`SiteAudit` where `audit.enabled` is false: it keeps nothing, and says so."""

    @property
    def status(self) -> AuditStatus:
        return AuditStatus(True, enabled=False)

    def record(self, entry: AuditEntry) -> None:
        """Nothing is kept."""
