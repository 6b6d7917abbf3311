"""A site's history of rounds, put together: what writes it down, and where it is kept."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.round_drafts import ROUNDS_KEPT
from edgemind.domain.swarm.votes import Vote
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock
from edgemind.ports.round_journal import RoundJournal
from edgemind.services.audit.keep_rounds import RoundAudit
from edgemind.services.rounds.keep_rounds import RoundKeeper
from edgemind.services.rounds.round_counts import RoundCounts

log = logging.getLogger("edgemind.rounds")


class UnfailingRecorder(RoundRecorder):
    """A defect in it costs history and nothing else: it is told once, and the round goes on."""

    _failed = False
    on_effect: Callable[[EffectReport], None] = staticmethod(lambda report: None)
    """Who hears of every effect, also of one whose round is no longer known."""

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None:
        self._try(partial(super().observe, event, effects, now_ms))

    def voted(self, vote: Vote) -> None:
        self._try(partial(super().voted, vote))

    def effect(self, report: EffectReport) -> None:
        self._try(partial(super().effect, report))
        self._try(partial(self.on_effect, report))

    def _try(self, write_down: Callable[[], None]) -> None:
        try:
            write_down()
        except Exception:
            if not self._failed:
                log.exception("a round could not be written down; further failures are not told")
            self._failed = True


class RoundHistory:
    """For as long as the process lives. Whoever runs the site's member shows `recorder` every step of it."""

    def __init__(self, site: str, metro: str, journal: RoundJournal, clock: Clock, audit: AuditJournal) -> None:
        self.journal = journal
        self.told: list[Callable[[RoundRecord], None]] = []
        """Who else hears of records, after they are on their way to the journal: nobody among them may block."""
        self._keeper = RoundKeeper(journal)
        known = journal.recent(ROUNDS_KEPT, None)
        self.counts = RoundCounts(known)
        self._provable = RoundAudit(site, audit, clock, known)
        recorder = UnfailingRecorder(site, metro, self._keep, clock.wall_ms, known)
        recorder.on_effect = self._provable.effect
        self.recorder: RoundRecorder = recorder

    def effect(self, report: EffectReport) -> None:
        """What came of this site's part in a decision."""
        self.counts.effect(report)
        self.recorder.effect(report)

    def _keep(self, record: RoundRecord) -> None:
        self.counts.round(record)
        self._keeper.keep(record)
        self._provable.round(record)
        for tell in self.told:
            tell(record)

    def close(self) -> None:
        """Blocks until everything is written."""
        self._keeper.close()
