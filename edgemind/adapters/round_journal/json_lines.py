"""Records of rounds in a file per site, one JSON document a line, appended: the newest line of a round stands.

What cannot be read is left aside, never an error: history must not keep a controller from starting. A line that a crash
or a full disk cut short is one of those; the next one begins on a line of its own.
"""

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from edgemind.adapters.round_journal.memory import MemoryRoundJournal
from edgemind.adapters.state_store.durable_files import explained, make_directory, own_as, sync_directory
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import parse_record, record_document
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid
from edgemind.ports.round_journal import RECORDS_KEPT

FOLDER = "rounds"
FILE_LIMIT_BYTES = 4 << 20
"""A file that has grown to this is put aside as `.1`, over the one before it: twice this per site at most, and a record
more."""

log = logging.getLogger("edgemind.rounds")


class JsonLinesRoundJournal:
    """`RoundJournal` in `directory / rounds / <site>.jsonl`, for one process at a time."""

    def __init__(
        self, directory: Path, site: str, limit_bytes: int = FILE_LIMIT_BYTES, kept: int = RECORDS_KEPT
    ) -> None:
        self._path = directory / FOLDER / f"{site}.jsonl"
        self._aside = self._path.with_suffix(".jsonl.1")
        self._limit_bytes = limit_bytes
        self._recent = MemoryRoundJournal(kept)
        self._torn = False
        """Whether the file ends amid a line."""
        self._load()

    def keep(self, record: RoundRecord) -> None:
        # First in memory: it can be looked at even when there is no room on the disk.
        self._recent.keep(record)
        line = json.dumps(record_document(record), separators=(",", ":")).encode("ascii") + b"\n"
        with explained("write", self._path):
            make_directory(self._path.parent)
            is_new = not self._path.exists()
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                own_as(descriptor, self._path.parent)
                self._append(descriptor, line)
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if is_new:
                sync_directory(self._path.parent)
            if size >= self._limit_bytes:
                self._path.replace(self._aside)

    def recent(self, limit: int, before: Fence | None) -> list[RoundRecord]:
        return self._recent.recent(limit, before)

    def find(self, fence: Fence) -> RoundRecord | None:
        return self._recent.find(fence)

    def _append(self, descriptor: int, line: bytes) -> None:
        rest = memoryview(b"\n" + line if self._torn else line)
        self._torn = True
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        self._torn = False

    def _load(self) -> None:
        damaged = 0
        for path in (self._aside, self._path):
            for line in self._lines(path):
                try:
                    self._recent.keep(parse_record(json.loads(line)))
                except (ValueError, RecursionError, DocumentInvalid):
                    damaged += 1
        if damaged:
            log.warning("%s: %d lines cannot be read and are left aside", self._path, damaged)

    def _lines(self, path: Path) -> Iterator[bytes]:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as exc:
            log.warning("the history of rounds begins anew: %s cannot be read (%s)", path, exc.strerror or exc)
            return
        self._torn = path == self._path and bool(content) and not content.endswith(b"\n")
        yield from (line for line in content.split(b"\n") if line.strip())
