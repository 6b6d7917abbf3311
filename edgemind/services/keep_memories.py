"""Memories on their way to where they are kept, and back: nobody who decides anything waits for either.

A round is remembered when it is over, by a thread of its own. A memory that is slow or down costs memories.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Condition, Event, Thread

from edgemind.domain.agent_memory import Memory, Recollection, Wanted
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.round_memories import memories_of_round
from edgemind.errors import EdgeMindError, StoreUnavailable, TemporaryError
from edgemind.ports.agent_memory import AgentMemory

WAITING_LIMIT = 256
"""Memories that wait; of more, the oldest are dropped."""
KNOWN_LIMIT = 2048
"""So many are known to have been told: a record is handed over again whenever something is added to it."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
CLOSE_S = 1.0
"""How long what waits may take when the process ends."""
RECALLS, RECALL_S = 2, 5.0
"""Recalls under way at once, and how long one may take."""

log = logging.getLogger("edgemind.memory")


@dataclass(frozen=True, slots=True)
class MemoryStatus:
    """`waiting` are not kept yet, `dropped` never will be."""

    kept_at: str
    kept: int
    waiting: int
    dropped: int
    last_error: str | None


class MemoryKeeper:
    """`remember` and `round_over` return at once, and may be called from an event loop. `pause` returns whether the
    keeper was closed meanwhile. Trouble is told once, and once that it is over."""

    def __init__(self, memory: AgentMemory, site: str, pause: Callable[[float], bool] | None = None) -> None:
        self._memory = memory
        self._site = site
        self._closed = Event()
        self._pause = pause or self._closed.wait
        self._turn = Condition()
        self._waiting: deque[Memory] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._kept = self._dropped = 0
        self._trouble: str | None = None
        self._recalls = ThreadPoolExecutor(RECALLS, thread_name_prefix="recall")
        self._recalling: set[Future[Recollection]] = set()
        # A daemon: a memory that hangs must not keep the process from ending.
        self._thread = Thread(target=self._write, name="agent-memory", daemon=True)
        self._thread.start()

    @property
    def status(self) -> MemoryStatus:
        with self._turn:
            return MemoryStatus(self._memory.kept, self._kept, len(self._waiting), self._dropped, self._trouble)

    def round_over(self, record: RoundRecord) -> None:
        """Remember what this site knows best of a round that is decided, or ended without a decision."""
        for memory in memories_of_round(record, by=self._site):
            self.remember(memory)

    def remember(self, memory: Memory) -> bool:
        """Whether it waits to be kept now; False if it was told before, or everything is over."""
        with self._turn:
            if self._closed.is_set() or memory.id in self._known:
                return False
            self._known[memory.id] = None
            if len(self._known) > KNOWN_LIMIT:
                self._known.popitem(last=False)
            self._waiting.append(memory)
            if len(self._waiting) > WAITING_LIMIT:
                self._waiting.popleft()
                self._drop("too many wait")
            self._turn.notify()
        return True

    async def recall(self, wanted: Wanted) -> Recollection:
        """What is kept. TemporaryError if it cannot be had within seconds, PermanentError if a person must act."""
        if len(self._recalling) >= RECALLS:
            raise TemporaryError(f"{RECALLS} recalls from {self._memory.kept} are under way; try again in a moment")
        recall = self._recalls.submit(self._memory.recall, wanted)
        self._recalling.add(recall)
        recall.add_done_callback(self._recalling.discard)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(recall), RECALL_S)
        except TimeoutError as exc:
            raise TemporaryError(f"{self._memory.kept} did not answer within {RECALL_S:g} s") from exc

    def close(self, within_s: float = CLOSE_S) -> None:
        """Blocks until what waits is kept, or `within_s` is over: then it is lost."""
        with self._turn:
            self._closed.set()
            self._turn.notify()
        self._thread.join(within_s)
        self._recalls.shutdown(wait=False, cancel_futures=True)
        if self._waiting:
            log.warning("%d memories were not kept when the process ended", len(self._waiting))

    # The thread

    def _write(self) -> None:
        pause_s = FIRST_PAUSE_S
        while (memory := self._next()) is not None:
            try:
                self._memory.remember(memory)
            except StoreUnavailable as exc:
                self._tell(str(exc))
                closed = self._pause(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                if closed:
                    return
                continue
            except EdgeMindError as exc:
                self._over(memory, str(exc))
            except Exception as exc:  # noqa: BLE001 - the edge of the thread: one memory must not end all later ones
                self._over(memory, f"unexpected {type(exc).__name__}: {exc}")
            else:
                self._over(memory, None)
            pause_s = FIRST_PAUSE_S

    def _next(self) -> Memory | None:
        """The oldest that waits, which goes on waiting until it is kept; None at the end."""
        with self._turn:
            while not self._waiting and not self._closed.is_set():
                self._turn.wait()
            return self._waiting[0] if self._waiting else None

    def _over(self, memory: Memory, trouble: str | None) -> None:
        with self._turn:
            # It may have been dropped meanwhile, for younger ones.
            if self._waiting and self._waiting[0] is memory:
                self._waiting.popleft()
            if trouble is None:
                self._kept += 1
            else:
                self._drop(trouble)
        self._tell(trouble)

    def _drop(self, why: str) -> None:
        if self._dropped == 0:
            log.error("memories are dropped, the first because: %s", why)
        self._dropped += 1

    def _tell(self, trouble: str | None) -> None:
        with self._turn:
            before, self._trouble = self._trouble, trouble
        if trouble is not None and before is None:
            log.error("rounds go on, but are not remembered: %s", trouble)
        elif trouble is None and before is not None:
            log.info("rounds are remembered again; %d memories were dropped", self._dropped)
