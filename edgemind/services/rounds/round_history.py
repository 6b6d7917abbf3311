"""A site's history of rounds, put together: what writes it down, and where it is kept."""

from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.round_drafts import ROUNDS_KEPT
from edgemind.ports.clock import Clock
from edgemind.ports.round_journal import RoundJournal
from edgemind.services.rounds.keep_rounds import RoundKeeper


class RoundHistory:
    """For as long as the process lives. Whoever runs the site's member shows `recorder` every step of it."""

    def __init__(self, site: str, metro: str, journal: RoundJournal, clock: Clock) -> None:
        self.journal = journal
        self._keeper = RoundKeeper(journal)
        known = journal.recent(ROUNDS_KEPT, None)
        self.recorder = RoundRecorder(site, metro, self._keeper.keep, clock.wall_ms, known)

    def close(self) -> None:
        """Blocks until everything is written."""
        self._keeper.close()
