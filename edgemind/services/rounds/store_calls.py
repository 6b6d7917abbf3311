"""The swarm's store, which blocks, from an event loop, which must not: each call in a thread of its own."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from edgemind.domain.swarm.protocol import Answer, Found, ReadBallots, ReadCurrent, Request, Trouble
from edgemind.domain.swarm.writes import Claim, Decide, OpenRound, PutBallot
from edgemind.errors import EdgeMindError, TemporaryError
from edgemind.ports.swarm_store import OutcomeUnknown, SwarmStore

THREADS = 32
"""Hedged copies of lost calls hold theirs until they time out: with few threads they would stall what comes next."""
IN_A_ROW = 3
"""One lost call or two are what copies are for; so many after one another are trouble."""
TOLD_LIMIT = 16
"""Reasons that are logged of one trouble: each operation has its own words for it."""

log = logging.getLogger("edgemind.rounds")


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """Why the store's last calls failed. `lasting`: trying again does not help, a person has to act."""

    why: str
    lasting: bool


class StoreThreads:
    """No call is cancelled: whatever became of the round, the write may have been applied."""

    def __init__(self, store: SwarmStore) -> None:
        self._asked: Mapping[type, Callable[[Any], Answer]] = {
            ReadCurrent: lambda _: Found(current=store.read_current()),
            ReadBallots: lambda request: Found(ballots=tuple(store.read_ballots(request.fence))),
            OpenRound: store.open_round,
            PutBallot: store.put_ballot,
            Decide: store.decide,
            Claim: store.claim,
        }
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="swarm-store")
        self._closed = False
        self._failed_in_a_row = 0
        self._told: set[str] = set()
        self.trouble: StoreTrouble | None = None
        self.failures = 0
        """Calls that failed, whatever became of them."""

    def ask(self, request: Request, then: Callable[[Answer], object]) -> None:
        """Send it once; `then` is called on this loop with what came of it."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._asked[type(request)], request)
        future.add_done_callback(lambda done: self._done(done, then))

    def close(self) -> None:
        """Waits for nobody: a call under way ends by its own time limit."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, done: "asyncio.Future[Answer]", then: Callable[[Answer], object]) -> None:
        if done.cancelled():
            return
        # Looked at in any case: an exception that nobody saw would be logged as a defect when a controller stops.
        answer, trouble = _answer_of(done)
        if self._closed:
            return
        self._tell(trouble)
        then(answer)

    def _tell(self, trouble: StoreTrouble | None) -> None:
        if trouble is None:
            self._tell_recovery()
            return
        self.failures += 1
        self._failed_in_a_row += 1
        if trouble.lasting or self._failed_in_a_row >= IN_A_ROW:
            self.trouble = trouble
            self._tell_once(trouble)

    def _tell_once(self, trouble: StoreTrouble) -> None:
        """Several calls under way at once fail in turns: each change of reason would be told, again and again."""
        if trouble.why not in self._told and len(self._told) < TOLD_LIMIT:
            self._told.add(trouble.why)
            log.log(logging.ERROR if trouble.lasting else logging.WARNING, "no round can be decided: %s", trouble.why)

    def _tell_recovery(self) -> None:
        if self.trouble is not None:
            log.info("rounds can be decided again: the swarm's store answers")
        self._failed_in_a_row, self.trouble = 0, None
        self._told.clear()


def _answer_of(done: "asyncio.Future[Answer]") -> tuple[Answer, StoreTrouble | None]:
    """Whatever cannot be known to be applied, and whatever was not sent, may be sent again: both slow down by that."""
    exc = done.exception()
    if exc is None:
        return done.result(), None
    if not isinstance(exc, EdgeMindError):
        log.error("a defect of the swarm's store", exc_info=exc)
    trouble = StoreTrouble(str(exc), lasting=not isinstance(exc, TemporaryError))
    return Trouble.UNKNOWN if isinstance(exc, OutcomeUnknown) else Trouble.THROTTLED, trouble
