"""Records on their way into the journal: a round that is decided never waits for a disk."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.errors import StoreUnavailable
from edgemind.ports.round_journal import RoundJournal

WAITING_LIMIT = 200
"""Rounds that wait for a slow disk; of more, the oldest are given up."""

log = logging.getLogger("edgemind.rounds")


class RoundKeeper:
    """`keep` returns at once and may be called from an event loop; one thread of its own writes.

    Trouble is told once, and once that it is over. What changes while its round still waits is written once.
    """

    def __init__(self, journal: RoundJournal) -> None:
        self._journal = journal
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="round-journal")
        self._lock = Lock()
        self._waiting: dict[Fence, RoundRecord] = {}
        self._in_trouble = False
        self._closed = False
        self.given_up = 0
        """Rounds that were not written because too many waited."""

    def keep(self, record: RoundRecord) -> None:
        with self._lock:
            if self._closed:
                return
            idle = not self._waiting
            self._waiting[record.fence] = record
            if len(self._waiting) > WAITING_LIMIT:
                del self._waiting[next(iter(self._waiting))]
                self.given_up += 1
            if idle:
                self._thread.submit(self._write)

    def close(self) -> None:
        """Blocks until everything that waits is written; what comes later is left aside."""
        with self._lock:
            self._closed = True
        self._thread.shutdown(wait=True)

    def _write(self) -> None:
        while (record := self._next()) is not None:
            try:
                self._journal.keep(record)
            except StoreUnavailable as exc:
                self._tell(str(exc))
            except Exception:
                # The edge of the thread: a defect here must not end the history of all later rounds in silence.
                log.exception("round %s could not be written down", record.fence)
            else:
                self._tell(None)

    def _next(self) -> RoundRecord | None:
        with self._lock:
            fence = next(iter(self._waiting), None)
            return None if fence is None else self._waiting.pop(fence)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and not self._in_trouble:
            log.error("rounds go on, but their history is kept in memory only: %s", trouble)
        elif trouble is None and self._in_trouble:
            log.info("the history of rounds is written to the disk again")
        self._in_trouble = trouble is not None
