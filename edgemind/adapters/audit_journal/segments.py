"""A site's audit journal in files, written by a thread of its own from a bounded queue.

Entries are gathered for `GATHER_S`, written with one call, and forced onto the disk before anything is anchored of
them: a process that is killed loses what it had not written yet, a power cut at most what is younger than a second.
"""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from edgemind.adapters.audit_journal.anchoring import Anchoring
from edgemind.adapters.audit_journal.folder import find_decision
from edgemind.adapters.audit_journal.segment_log import SegmentLog
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.status import AuditStatus
from edgemind.errors import EdgeMindError, StoreUnavailable
from edgemind.ports.clock import Clock

WAITING_LIMIT = 20_000
"""Entries that wait for the disk; later ones are dropped and counted."""
BATCH_LIMIT = 1000
GATHER_S = 0.2
RETRY_S = 1.0
PRUNE_S = 60.0
CLOSE_S = 5.0
LOSS_TOLD_S = 120.0
"""How long a loss is trouble: longer than an alert waits, so that a burst is told, too."""
ERASE_TIMEOUT_S = 300.0

log = logging.getLogger("edgemind.audit")


@dataclass(slots=True)
class _Losses:
    """What has to be said in the chain as soon as it can be written again."""

    dropped: int = 0
    lost_tagged: int = 0
    lost_sampled: int = 0


class SegmentJournal:
    """`SiteAudit`."""

    def __init__(self, folder: Path, site: str, files: SegmentLog, anchoring: Anchoring, clock: Clock) -> None:
        self._folder = folder
        self._site = site
        self._log = files
        self._anchoring = anchoring
        self._clock = clock
        self._waiting: deque[AuditEntry] = deque()
        self._erasures: deque[tuple[str, str, Future[int]]] = deque()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._losses, self._losses_lock = _Losses(), threading.Lock()
        self._dropped = self._lost_tagged = 0
        self._overflowed = False
        self._lost_until_s = clock.monotonic_s()
        self._trouble: str | None = None
        self._begun = False
        self._pruned_s = clock.monotonic_s()
        # A daemon: a process that fails before it serves must end. One that served closes the journal.
        self._thread = threading.Thread(target=self._run, name="audit-journal", daemon=True)
        self._thread.start()

    @property
    def status(self) -> AuditStatus:
        trouble = self._trouble or self._anchoring.trouble or self._loss()
        return AuditStatus(
            ok=trouble is None,
            records=self._log.end.sequence,
            anchored=self._anchoring.sequence,
            waiting=len(self._waiting),
            dropped=self._dropped,
            lost_tagged=self._lost_tagged,
            trouble=trouble,
        )

    def record(self, entry: AuditEntry) -> None:
        if len(self._waiting) >= WAITING_LIMIT or self._closing.is_set():
            if not self._overflowed:
                self._overflowed = True
                log.error("the audit journal of %s cannot keep up: entries are dropped, and counted", self._site)
            tagged = entry.kind is EntryKind.DECISION and bool(entry.body.get("residency"))
            self._lose(dropped=not tagged, tagged=tagged)
            return
        self._waiting.append(entry)
        if not self._wake.is_set():
            self._wake.set()

    def lost(self, tagged: int, sampled: int) -> None:
        self._lose(tagged=tagged, sampled=sampled)
        self._wake.set()

    def find_decision(self, decision_id: str) -> Mapping[str, object] | None:
        found = find_decision(self._folder, decision_id)
        if found is None:
            return None
        personal = found.opened.get("body") if found.opened is not None else None
        return {**found.body, "personal": personal, "erased": found.erased_by is not None}

    def erase(self, key: str, asked_by: str) -> int:
        done: Future[int] = Future()
        self._erasures.append((key, asked_by, done))
        self._wake.set()
        try:
            return done.result(ERASE_TIMEOUT_S)
        except TimeoutError:
            found = "did not get to it within" if done.cancel() else "is still at it after"
            rest = "" if done.cancelled() else ", and goes on"
            raise StoreUnavailable(f"the journal {found} {ERASE_TIMEOUT_S:g} s{rest}") from None

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.error("the audit journal of %s could not be closed: its disk does not answer", self._site)

    # The thread

    def _run(self) -> None:
        while True:
            closing = self._closing.is_set()
            try:
                done = self._turn(closing)
            except EdgeMindError as exc:
                self._tell(str(exc))
                self._refuse_erasures(exc)
                done = False
            except Exception:
                # The edge of the thread: a defect in one turn must not end the journal in silence.
                if self._trouble is None:
                    log.exception("the audit journal of %s failed and goes on", self._site)
                self._trouble, done = "it failed unexpectedly: the controller's log says where", False
            if closing:
                break
            if done:
                self._wake.wait(self._anchoring.interval_s)
            self._wake.clear()
            self._closing.wait(GATHER_S if done else RETRY_S)
        self._log.close()

    def _turn(self, closing: bool) -> bool:
        if not self._begun:
            self._begin()
        self._write_waiting()
        while self._erasures:
            self._erase(*self._erasures.popleft())
        self._tell(None)
        self._anchoring.keep(self._log, now=closing)
        if self._clock.monotonic_s() - self._pruned_s >= PRUNE_S:
            self._pruned_s = self._clock.monotonic_s()
            self._log.prune(self._clock.wall_ms())
        return True

    def _begin(self) -> None:
        self._log.begin(self._anchoring.known())
        self._begun = True
        unfit = self._log.unfit
        if self._log.began_anew:
            log.error("the audit journal of %s was put aside, and another begins: %s", self._site, unfit)
        self._anchoring.began(unfit)
        put_aside = unfit if self._log.began_anew else None
        body = {"event": "started", "torn_bytes": self._log.torn, "put_aside": put_aside}
        self._log.append([AuditEntry(EntryKind.JOURNAL, self._clock.wall_ms(), self._site, body)])

    def _write_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting[k] for k in range(min(len(self._waiting), BATCH_LIMIT))]
            self._log.append(batch)
            for _ in batch:
                self._waiting.popleft()
        with self._losses_lock:
            losses = self._losses
        if losses != _Losses():
            body = {
                "event": "dropped",
                "dropped": losses.dropped,
                "lost_tagged": losses.lost_tagged,
                "lost_sampled": losses.lost_sampled,
            }
            self._log.append([AuditEntry(EntryKind.JOURNAL, self._clock.wall_ms(), self._site, body)])
            with self._losses_lock:
                self._losses = _Losses(
                    self._losses.dropped - losses.dropped,
                    self._losses.lost_tagged - losses.lost_tagged,
                    self._losses.lost_sampled - losses.lost_sampled,
                )
        self._log.sync()

    def _erase(self, key: str, asked_by: str, done: "Future[int]") -> None:
        # Who asked may have given up before it began.
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(self._log.erase(key, asked_by, self._clock.wall_ms()))
        except EdgeMindError as exc:
            done.set_exception(exc)

    def _refuse_erasures(self, why: EdgeMindError) -> None:
        while self._erasures:
            done = self._erasures.popleft()[2]
            if done.set_running_or_notify_cancel():
                done.set_exception(why)

    def _lose(self, dropped: int = 0, tagged: int = 0, sampled: int = 0) -> None:
        with self._losses_lock:
            before = self._losses
            self._losses = _Losses(before.dropped + dropped, before.lost_tagged + tagged, before.lost_sampled + sampled)
            self._dropped += dropped + tagged + sampled
            self._lost_tagged += tagged
        if dropped or tagged:
            self._lost_until_s = self._clock.monotonic_s() + LOSS_TOLD_S

    def _loss(self) -> str | None:
        if self._clock.monotonic_s() >= self._lost_until_s:
            return None
        return (
            f"entries are being lost, {self._dropped} by now, {self._lost_tagged} of them decisions with a residency: "
            "more is to be written than its disk takes, or gateways could not reach this controller"
        )

    def _tell(self, trouble: str | None) -> None:
        """Once when it begins, once when it is over."""
        if trouble is not None and self._trouble is None:
            log.error("the audit journal of %s cannot be written; requests go on: %s", self._site, trouble)
        elif trouble is None and self._trouble is not None:
            log.info("the audit journal of %s is written again", self._site)
        self._trouble = trouble
