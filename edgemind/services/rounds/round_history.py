"""A site's history of rounds, put together: what writes it down, and where it is kept."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.round_drafts import ROUNDS_KEPT
from edgemind.domain.swarm.votes import Vote
from edgemind.ports.clock import Clock
from edgemind.ports.round_journal import RoundJournal
from edgemind.services.rounds.keep_rounds import RoundKeeper

KeepRecord = Callable[[RoundRecord], None]

log = logging.getLogger("edgemind.rounds")


class UnfailingRecorder(RoundRecorder):
    """A defect in it costs history and nothing else: it is told once, and the round goes on."""

    _failed = False

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None:
        self._try(partial(super().observe, event, effects, now_ms))

    def voted(self, vote: Vote) -> None:
        self._try(partial(super().voted, vote))

    def effect(self, report: EffectReport) -> None:
        self._try(partial(super().effect, report))

    def _try(self, write_down: Callable[[], None]) -> None:
        try:
            write_down()
        except Exception:
            if not self._failed:
                log.exception("a round could not be written down; further failures are not told")
            self._failed = True


class RoundHistory:
    """For as long as the process lives. Whoever runs the site's member shows `recorder` every step of it."""

    def __init__(
        self,
        site: str,
        metro: str,
        journal: RoundJournal,
        clock: Clock,
        also: KeepRecord | None = None,
    ) -> None:
        """`also` is given whatever is kept, once it is on its way to the journal."""
        self.journal = journal
        self._keeper = RoundKeeper(journal)
        known = journal.recent(ROUNDS_KEPT, None)
        self.recorder: RoundRecorder = UnfailingRecorder(site, metro, self._keep, clock.wall_ms, known)
        self._also = also

    def _keep(self, record: RoundRecord) -> None:
        self._keeper.keep(record)
        if self._also is not None:
            self._also(record)

    def close(self) -> None:
        """Blocks until everything is written."""
        self._keeper.close()
