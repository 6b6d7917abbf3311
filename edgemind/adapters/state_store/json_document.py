"""One JSON file that many processes read and change: whole at every moment, whichever of them is killed.

Writers take turns on a lock and rename a finished copy over the file; readers take no lock and see the old document or
the new one.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgemind.adapters.state_store.durable_files import explained, locked, replace_durably
from edgemind.adapters.state_store.records import SCHEMA_VERSION, Record, check_schema
from edgemind.errors import StateCorrupt


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """What a document holds; `recovery` tells a person how to get over its loss.

    `remade` says that running processes write its records anew by themselves: a file that vanishes is then no loss.
    """

    file_name: str
    recovery: str
    remade: bool


class JsonDocument:
    """`{"schema_version": "1.0", "records": {id: record}}` in `directory / kind.file_name`."""

    def __init__(self, directory: Path, kind: DocumentKind, lock_timeout_s: float) -> None:
        self._directory = directory
        self._path = directory / kind.file_name
        self._kind = kind
        self._lock_timeout_s = lock_timeout_s
        self._was_there = False

    def read(self) -> dict[str, Record]:
        """The records by id; none if nothing was ever stored."""
        return self._load()[1]

    def version(self) -> str:
        """Changes with every change of the document; costs one stat.

        The size is part of it because an inode number can be used again within one tick of the file system's clock.
        """
        with explained("read", self._path):
            try:
                status = self._path.stat()
            except FileNotFoundError:
                return "absent"
        return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"

    @contextmanager
    def edit(self) -> Iterator[dict[str, Record]]:
        """The records, under the lock; what the block changes in the dictionary is stored unless it raises."""
        with locked(self._directory, self._lock_timeout_s):
            envelope, records = self._load()
            before = dict(records)
            yield records
            if records != before:
                replace_durably(self._path, json.dumps({**envelope, "records": records}, indent=1).encode("ascii"))
                self._was_there = True

    def corrupt(self, what: str) -> StateCorrupt:
        """The error for this file: what is wrong, that nothing was touched, how to recover."""
        return StateCorrupt(f"{self._path} cannot be used: {what}. It was left as it is. {self._kind.recovery}")

    def _load(self) -> tuple[dict[str, object], dict[str, Record]]:
        """The document without its records, and its records."""
        with explained("read", self._path):
            try:
                content = self._path.read_bytes()
            except FileNotFoundError:
                return self._absent()
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise self.corrupt(f"it is damaged or cut short ({exc})") from exc
        if not isinstance(document, dict):
            raise self.corrupt("it holds no JSON object")
        try:
            check_schema(document)
        except StateCorrupt as exc:
            raise self.corrupt(str(exc)) from exc
        records = document.pop("records", None)
        if not isinstance(records, dict) or not all(isinstance(record, dict) for record in records.values()):
            raise self.corrupt("its records are missing")
        self._was_there = True
        return document, records

    def _absent(self) -> tuple[dict[str, object], dict[str, Record]]:
        """An unmounted disk must not look like a store in which nobody has a key."""
        if self._was_there and not self._kind.remade:
            raise StateCorrupt(f"{self._path} was there and is gone. {self._kind.recovery}")
        return {"schema_version": SCHEMA_VERSION}, {}
