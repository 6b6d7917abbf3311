"""Checkpoints on their way out of the journal: into the state store, and into a file that the operator names."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from edgemind.adapters.audit_journal.disk import explained, write_all
from edgemind.adapters.audit_journal.segment_log import SegmentLog
from edgemind.adapters.state_store.durable_files import make_directory
from edgemind.domain.audit.checkpoints import Checkpoint, checkpoint_document
from edgemind.errors import EdgeMindError, StoreUnavailable
from edgemind.ports.clock import Clock
from edgemind.ports.state_store import StateStore

TOLERATED_S = 60.0
"""How long nothing may be anchored before that counts as trouble: a store may be away for a moment."""

log = logging.getLogger("edgemind.audit")


class Anchoring:
    """For the journal's thread. `trouble` may be read from any."""

    def __init__(self, store: StateStore, file: Path | None, site: str, interval_s: float, clock: Clock) -> None:
        self.interval_s = interval_s
        self.sequence = 0
        self.trouble: str | None = None
        self._store = store
        self._file = file
        self._site = site
        self._clock = clock
        self._compared = self._late = False
        self._unfit: str | None = None
        self._failing_s: float | None = None
        self._last_s = clock.monotonic_s()

    def known(self) -> Sequence[Checkpoint]:
        """The anchors of this site; none while the store is away, which is made up for later."""
        try:
            found = self._of_site()
        except StoreUnavailable:
            return ()
        self._compared = True
        return found

    def began(self, unfit: str | None) -> None:
        if unfit is not None:
            self._fail_for_good(unfit)

    def keep(self, journal: SegmentLog, *, now: bool) -> None:
        """Anchor where the journal stands, if it is time and there is news."""
        now_s = self._clock.monotonic_s()
        # An anchor that nobody signed would pass for a forged one.
        if not journal.signs:
            return
        if journal.end.sequence <= self.sequence or not (now or now_s - self._last_s >= self.interval_s):
            return
        self._last_s = now_s
        try:
            self._anchor(journal)
        except EdgeMindError as exc:
            self._failing_s = now_s if self._failing_s is None else self._failing_s
            if now_s - self._failing_s >= TOLERATED_S and self._unfit is None:
                self._tell(f"nothing could be anchored for {now_s - self._failing_s:.0f} s: {exc}")
        else:
            self._failing_s = None
            self._tell(self._unfit)

    def _anchor(self, journal: SegmentLog) -> None:
        if not self._compared:
            anchors = self._of_site()
            flaw = journal.does_not_fit(anchors)
            self._compared, self._late = True, flaw is not None
            self.began(flaw or journal.other_journal(anchors))
        if self._late:
            # What is anchored is the evidence: it stays as it is.
            return
        checkpoint = journal.checkpoint(self._clock.wall_ms())
        self._store.put_audit_anchor(checkpoint)
        if self._file is not None:
            _append(self._file, checkpoint)
        self.sequence = checkpoint.sequence

    def _of_site(self) -> list[Checkpoint]:
        return [one for one in self._store.audit_anchors() if one.site == self._site]

    def _fail_for_good(self, why: str) -> None:
        self._unfit = (
            f"the journal does not fit what was anchored of it: {why}. Look into it, then: "
            f"edgemind audit accept --site {self._site} --reason TEXT, and restart this controller"
        )
        self._tell(self._unfit)

    def _tell(self, trouble: str | None) -> None:
        if trouble is not None and self.trouble is None:
            log.error("the audit journal of %s: %s", self._site, trouble)
        self.trouble = trouble


def _append(path: Path, checkpoint: Checkpoint) -> None:
    row = json.dumps(checkpoint_document(checkpoint), separators=(",", ":")).encode("ascii") + b"\n"
    with explained("write", path):
        make_directory(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            write_all(descriptor, row if _ends_whole(path) else b"\n" + row)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _ends_whole(path: Path) -> bool:
    """False where a crash or a full disk left part of a row, and where the file may only be written to."""
    try:
        with path.open("rb") as stream:
            if stream.seek(0, os.SEEK_END) == 0:
                return True
            stream.seek(-1, os.SEEK_END)
            return stream.read() == b"\n"
    except OSError:
        return False
