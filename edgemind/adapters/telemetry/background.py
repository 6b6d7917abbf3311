"""Spans leave a process through a thread of their own, so that a receiver that is slow, dead or hung costs nobody.

The queue is bounded, and what finds it full is dropped and counted. After a failure the exporter is left alone for a
while, longer each time: a receiver that is gone for a day must not cost a connection a second.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence

from edgemind.domain.spans import Span
from edgemind.ports.telemetry import MakeSpan, SpanExporter

log = logging.getLogger("edgemind.telemetry")

FLUSH_S = 1.0
BATCH_SPANS = 64
BETWEEN_BATCHES_S = 0.001
"""The interpreter is the requests' again after each few milliseconds of encoding."""
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 30.0
CLOSE_LIMIT_S = 1.0
SWITCH_S = 0.0001
"""How long the exporting thread may keep the interpreter while a request waits for it; Python's own 5 ms is long."""


class BackgroundSpans:
    """A SpanSink over `exporter`, which only the thread asks.

    `offer` is called by one thread, which never waits for the other: a deque's ends need no lock.
    """

    def __init__(self, exporter: SpanExporter, queue_spans: int) -> None:
        self.exported = 0
        self._exporter = exporter
        self._waiting: deque[MakeSpan] = deque()
        self._limit = queue_spans
        self._full = 0
        self._failed = 0
        self._told = False
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        # Two counters, for each thread one: adding to a shared one could lose.
        return self._full + self._failed

    def offer(self, make: MakeSpan) -> None:
        if len(self._waiting) < self._limit:
            self._waiting.append(make)
        else:
            self._full += 1

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSE_LIMIT_S)

    # In the thread

    def _run(self) -> None:
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        pause_s = FLUSH_S
        while True:
            self._wake.wait(pause_s)
            # Before the export, not after it: what was offered while it ran is exported as well.
            last = self._closing
            arrived = self._flush()
            pause_s = FLUSH_S if arrived else min(RETRY_MOST_S, max(RETRY_FIRST_S, pause_s * 2))
            if last:
                return

    def _flush(self) -> bool:
        """Everything that waits now, by the batch; False once a batch did not arrive."""
        for _ in range(-(-len(self._waiting) // BATCH_SPANS)):
            batch = self._batch()
            started_s = time.monotonic()
            if not _arrives(self._exporter, batch):
                self._failed += len(batch)
                self._tell(f"no answer that it took them, after {time.monotonic() - started_s:.1f} s")
                return False
            self.exported += len(batch)
            time.sleep(BETWEEN_BATCHES_S)
            if self._told:
                log.warning("spans arrive again; %d were dropped so far", self.dropped)
                self._told = False
        return True

    def _batch(self) -> list[Span]:
        spans: list[Span] = []
        for _ in range(min(BATCH_SPANS, len(self._waiting))):
            make = self._waiting.popleft()
            try:
                spans.append(make())
            except Exception as exc:  # noqa: BLE001 - one odd span must not take the others with it
                self._failed += 1
                self._tell(exc)
        return spans

    def _tell(self, why: object) -> None:
        """Once per outage."""
        if not self._told:
            log.warning("spans do not arrive, and are dropped and counted meanwhile: %s", why)
            self._told = True


def _arrives(exporter: SpanExporter, batch: Sequence[Span]) -> bool:
    try:
        return not batch or exporter.export(batch)
    except Exception:
        log.debug("an export failed", exc_info=True)
        return False
