"""Rounds and what was done about them, for the audit journal: each round once, when it is decided or over."""

from collections import deque
from collections.abc import Iterable

from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.history_documents import effect_document, record_document
from edgemind.domain.swarm.round_drafts import ROUNDS_KEPT
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock


class RoundAudit:
    """`known` are rounds of before a restart, which the journal has. Effects of a round come as entries of their own,
    as long after it as they happen."""

    def __init__(self, site: str, journal: AuditJournal, clock: Clock, known: Iterable[RoundRecord]) -> None:
        self._site = site
        self._journal = journal
        self._clock = clock
        self._kept = deque((record.fence for record in known), maxlen=2 * ROUNDS_KEPT)

    def round(self, record: RoundRecord) -> None:
        """A record that is handed on to be kept; what is added to it later is not a round of its own."""
        if record.fence in self._kept:
            return
        self._kept.append(record.fence)
        document = {name: value for name, value in record_document(record).items() if name != "effects"}
        self._journal.record(AuditEntry(EntryKind.ROUND, record.at_ms, self._site, document))

    def effect(self, report: EffectReport) -> None:
        document = {"fence": str(report.fence), **effect_document(report)}
        self._journal.record(AuditEntry(EntryKind.EFFECT, self._clock.wall_ms(), self._site, document))
