"""Memory on this machine: a file per site beside the state, one JSON document a line, or only this process's own.

What cannot be read is counted and left aside, never an error: an old memory must not keep a site from new ones.
"""

import json
import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock

from edgemind.adapters.state_store.durable_files import explained, make_directory, own_as
from edgemind.domain.agent_memory import Memory, Recollection, Wanted, best_memories, memory_document, parse_memory
from edgemind.domain.wire import DocumentInvalid

FOLDER = "memory"
FILE_LIMIT_BYTES = 256 << 10
"""A file that has grown to this is put aside as `.1`, over the one before it: some 600 memories and as many again."""
FILES_LIMIT = 32
"""Of other sites that keep theirs in the same folder, so many files are looked through."""
MATCHED_BY = "whole words"


class FileMemory:
    """`AgentMemory` in `directory / memory / <site>.jsonl`; recalls what other sites keep in the same folder, too."""

    def __init__(self, directory: Path, site: str, limit_bytes: int = FILE_LIMIT_BYTES) -> None:
        self._folder = directory / FOLDER
        self._path = self._folder / f"{site}.jsonl"
        self._limit_bytes = limit_bytes

    @property
    def kept(self) -> str:
        return f"local: {self._folder}, on this machine only"

    def remember(self, memory: Memory) -> None:
        line = json.dumps(memory_document(memory), separators=(",", ":")).encode("ascii") + b"\n"
        with explained("write", self._path):
            make_directory(self._folder)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                own_as(descriptor, self._folder)
                size = os.fstat(descriptor).st_size
                # A line that a crash or a full disk cut short is not to spoil the next one.
                whole = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
                rest = memoryview(line if whole else b"\n" + line)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if size >= self._limit_bytes:
                self._path.replace(self._path.with_suffix(".jsonl.1"))

    def recall(self, wanted: Wanted) -> Recollection:
        found: list[Memory] = []
        damaged = 0
        for line in self._lines():
            try:
                found.append(parse_memory(json.loads(line)))
            except (ValueError, RecursionError, DocumentInvalid):
                damaged += 1
        return Recollection(best_memories(found, wanted), self.kept, MATCHED_BY, damaged)

    def _lines(self) -> Iterator[bytes]:
        with explained("read", self._folder):
            paths = sorted(self._folder.glob("*.jsonl*")) if self._folder.is_dir() else []
        own = [path for path in paths if path.name.startswith(self._path.name)]
        for path in [*own, *(path for path in paths if path not in own)][:FILES_LIMIT]:
            # One that was put aside between the look into the folder and this one is missed.
            with explained("read", path), suppress(FileNotFoundError):
                yield from (line for line in path.read_bytes().split(b"\n") if line.strip())


class ProcessMemory:
    """`AgentMemory` for as long as the process lives, where the state is not in a folder."""

    kept = "local: in this process only, lost when it ends"

    def __init__(self, limit: int = 1000) -> None:
        self._memories: deque[Memory] = deque(maxlen=limit)
        self._lock = Lock()

    def remember(self, memory: Memory) -> None:
        with self._lock:
            self._memories.append(memory)

    def recall(self, wanted: Wanted) -> Recollection:
        with self._lock:
            known = list(self._memories)
        return Recollection(best_memories(known, wanted), self.kept, MATCHED_BY)
