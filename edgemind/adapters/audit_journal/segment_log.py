"""The writing side of a journal's files: append, seal, prune, erase. One thread of one process, under a lock.

A crash leaves whole lines and at most one torn one, which the next start cuts off. A full disk leaves what was there:
what could not be written whole is taken back, and can be tried again.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemind.adapters.audit_journal.aside import aside_folders, delete, put_aside, written_before
from edgemind.adapters.audit_journal.disk import explained, write_all
from edgemind.adapters.audit_journal.erasing import ERASURE_BYTES, mark_all, rewrite
from edgemind.adapters.audit_journal.folder import (
    BASE,
    first_sequence,
    index_entry,
    index_path,
    read_base,
    segment_path,
    segments,
)
from edgemind.adapters.audit_journal.tail import Tail, anchor_flaw, base_flaw, end_of, other_journal, read_tail
from edgemind.adapters.state_store.durable_files import (
    make_directory,
    own_as,
    replace_durably,
    sync_directory,
)
from edgemind.domain.audit.chain import CHAIN_ID_BYTES, SALT_BYTES, chained, genesis
from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys, checkpoint_document
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.audit.erasures import erasure_body
from edgemind.domain.audit.prunings import pruning_body
from edgemind.errors import PermanentError, StateCorrupt, StoreUnavailable

LOCK = ".lock"
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class KeepRules:
    """How long a segment grows, and what is kept of them. Only whole segments are pruned, never the last."""

    segment_bytes: int
    keep_bytes: int
    keep_days: float


@dataclass(slots=True)
class _Segment:
    """The one that is written to. `size` is that of its good lines: what follows could not be written whole."""

    path: Path
    descriptor: int
    index: int
    size: int = 0


class SegmentLog:
    """`entropy(n)` gives n unguessable bytes. Every method blocks, and raises StoreUnavailable."""

    def __init__(
        self, folder: Path, site: str, keys: CheckpointKeys, rules: KeepRules, entropy: Callable[[int], bytes]
    ) -> None:
        self._folder = folder
        self._site = site
        self._keys = keys
        self._rules = rules
        self._entropy = entropy
        self._lock: int | None = None
        self._open: _Segment | None = None
        self._unsynced = False
        self.end = genesis(site, "")
        self.unfit: str | None = None
        """Why the journal that was here is not what was anchored, or why another one was; None if all is well."""
        self.began_anew = False
        """Whether it was put aside for that, and another began."""
        self.torn = 0
        """Bytes that a crash had left behind the last line."""

    def begin(self, anchors: Sequence[Checkpoint]) -> None:
        """Take the journal up where it ends. One that is not what was anchored of it is put aside, for whoever looks
        into it, and another begins. `anchors` are those known of this site."""
        self._take_lock()
        try:
            tail = read_tail(self._folder, self._site)
            flaw = base_flaw(self._folder) or anchor_flaw(self._folder, tail.end, anchors)
        except StateCorrupt as exc:
            tail, flaw = Tail(None, None), str(exc)
        self.began_anew, self.unfit = flaw is not None, flaw or other_journal(tail.end, anchors)
        if self.began_anew:
            self._put_aside()
            tail = Tail(None, None)
        self.torn = tail.torn
        self.end = tail.end or genesis(self._site, self._entropy(CHAIN_ID_BYTES).hex())
        if tail.segment is not None:
            self._take_up(tail)
        self._renew_base()

    @property
    def signs(self) -> bool:
        return bool(self._keys)

    def does_not_fit(self, anchors: Sequence[Checkpoint]) -> str | None:
        """For anchors that could not be read when it began."""
        return anchor_flaw(self._folder, self.end, anchors)

    def other_journal(self, anchors: Sequence[Checkpoint]) -> str | None:
        """Why all is not well even if it fits: another one was anchored, too."""
        return other_journal(self.end, anchors)

    def append(self, entries: Iterable[AuditEntry]) -> None:
        """All of them or none; they are on the disk after `sync`."""
        content, index, end = bytearray(), bytearray(), self.end
        segment = self._current()
        for entry in entries:
            line, end = chained(end, entry, self._entropy(SALT_BYTES))
            if entry.kind is EntryKind.DECISION and isinstance(decision_id := entry.body.get("id"), str):
                index += index_entry(decision_id, segment.size + len(content))
            content += line
        with explained("write", segment.path):
            # What an attempt before this one left.
            if os.fstat(segment.descriptor).st_size != segment.size:
                os.ftruncate(segment.descriptor, segment.size)
            write_all(segment.descriptor, content)
            write_all(segment.index, index)
        segment.size += len(content)
        self.end, self._unsynced = end, True
        if segment.size >= self._rules.segment_bytes:
            self._seal()

    def sync(self) -> None:
        """What was appended outlives a power cut from here on."""
        if self._open is not None and self._unsynced:
            with explained("be sure that the disk has kept", self._open.path):
                os.fsync(self._open.descriptor)
            self._unsynced = False

    def checkpoint(self, at_ms: int) -> Checkpoint:
        end = self.end
        return self._keys.signed(Checkpoint(self._site, end.chain, end.sequence, end.hash, at_ms))

    def prune(self, now_ms: int) -> int:
        """Delete what is too old or too much, oldest first; returns how many records that were."""
        oldest_ms = now_ms - self._rules.keep_days * DAY_MS
        self._prune_aside(oldest_ms, now_ms)
        found = segments(self._folder)
        with explained("read", self._folder):
            stats = [path.stat() for path in found]
        total = sum(stat.st_size for stat in stats)
        due = 0
        for stat in stats[:-1]:
            if stat.st_mtime * 1000.0 >= oldest_ms and total <= self._rules.keep_bytes:
                break
            total -= stat.st_size
            due += 1
        if not due:
            return 0
        through = first_sequence(found[due]) - 1
        gone = through - first_sequence(found[0]) + 1
        self._tell(now_ms, pruning_body(through, gone))
        # The signed base first: a journal that begins in the middle without one is one whose head was cut off.
        last = end_of(found[due - 1])
        self._write_base(Checkpoint(self._site, last.chain, last.sequence, last.hash, now_ms, base=True))
        self._delete(found[:due])
        return gone

    def erase(self, key: str, asked_by: str, now_ms: int) -> int:
        """Take out every person's part of a subject, for good; returns of how many records.

        The journal's own entries about it come first: who finds a part missing finds them, too. PermanentError if a
        journal that was put aside names the subject where it cannot be read; everything else is erased then.
        """
        self._seal()
        marked = mark_all(self._folder, key, lambda: self._entropy(ERASURE_BYTES).hex())
        concerned = [one for one in marked if one.erasure.records]
        self._tell(now_ms, *(erasure_body(one.erasure_id, one.erasure, asked_by, one.aside) for one in concerned))
        for one in concerned:
            rewrite(one, key)
        records = sum(one.erasure.records for one in concerned)
        if damaged := sorted({one.aside for one in marked if one.aside is not None and one.damaged}):
            raise PermanentError(
                f"{records} records were erased, and {', '.join(damaged)} is damaged where it names the subject: when "
                "you have looked into it, delete that folder"
            )
        return records

    def close(self) -> None:
        if self._open is not None:
            os.close(self._open.descriptor)
            os.close(self._open.index)
            self._open = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        path = self._folder / LOCK
        with explained("open", path):
            make_directory(self._folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            own_as(descriptor, self._folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StoreUnavailable(
                f"another process writes the journal in {self._folder}: stop the second controller of {self._site}"
            ) from None
        self._lock = descriptor

    def _put_aside(self) -> None:
        self.close()
        if any(path.name != LOCK for path in self._folder.iterdir()):
            put_aside(self._folder)
        self._take_lock()

    def _prune_aside(self, oldest_ms: float, now_ms: int) -> None:
        for aside in aside_folders(self._folder):
            if written_before(aside, oldest_ms):
                self._tell(now_ms, {"event": "deleted", "journal": aside.name})
                delete(aside)

    def _tell(self, now_ms: int, *bodies: Mapping[str, object]) -> None:
        """The journal's own entries, on the disk when it returns."""
        if bodies:
            self.append([AuditEntry(EntryKind.JOURNAL, now_ms, self._site, body) for body in bodies])
            self.sync()

    def _take_up(self, tail: Tail) -> None:
        assert tail.segment is not None
        with explained("write", tail.segment):
            replace_durably(index_path(tail.segment), tail.index)
            self._open = self._opened(tail.segment)
            os.ftruncate(self._open.descriptor, tail.size)
            self._open.size = tail.size

    def _current(self) -> _Segment:
        if self._open is None:
            path = segment_path(self._folder, self.end.sequence + 1)
            with explained("write", path):
                make_directory(self._folder)
                self._open = self._opened(path)
                sync_directory(self._folder)
        return self._open

    def _opened(self, path: Path) -> _Segment:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor, index = os.open(path, flags, 0o600), -1
        try:
            own_as(descriptor, self._folder)
            index = os.open(index_path(path), flags, 0o600)
            own_as(index, self._folder)
        except OSError:
            os.close(descriptor)
            raise
        return _Segment(path, descriptor, index)

    def _seal(self) -> None:
        if self._open is None or not self._open.size:
            return
        self.sync()
        with explained("be sure that the disk has kept", self._open.path):
            os.fsync(self._open.index)
        os.close(self._open.descriptor)
        os.close(self._open.index)
        self._open = None

    def _renew_base(self) -> None:
        """A base that was signed with an older secret would not be good for as long as the records behind it."""
        base = read_base(self._folder)
        if base is not None and self._keys and not self._keys.is_current(base) and self._keys.flaw(base) is None:
            self._write_base(base)

    def _write_base(self, checkpoint: Checkpoint) -> None:
        content = json.dumps(checkpoint_document(self._keys.signed(checkpoint)), indent=1).encode("ascii")
        replace_durably(self._folder / BASE, content)

    def _delete(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with explained("delete", path):
                index_path(path).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        with explained("delete from", self._folder):
            sync_directory(self._folder)
