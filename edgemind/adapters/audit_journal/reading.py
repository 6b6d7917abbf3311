"""Journals on a disk, for whoever looks into them or verifies them."""

import json
from collections.abc import Iterator
from pathlib import Path

from edgemind.adapters.audit_journal.aside import aside_folders
from edgemind.adapters.audit_journal.disk import explained
from edgemind.adapters.audit_journal.folder import (
    ASIDE,
    BASE,
    Line,
    find_decision,
    journal_folders,
    lines,
    read_base,
    records,
    segments,
)
from edgemind.domain.audit.chain import AuditRecord
from edgemind.domain.audit.checkpoints import Checkpoint, parse_checkpoint
from edgemind.domain.wire import DocumentInvalid
from edgemind.errors import StateCorrupt


class JournalFiles:
    """`ports.audit_files.AuditFiles` below a directory, or of a directory that is itself one journal."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.alone = bool(segments(directory))

    def sites(self) -> list[str]:
        if self.alone:
            return [self._directory.name.partition(ASIDE)[0]]
        return [path.name for path in journal_folders(self._directory)]

    def aside(self, site: str) -> list[str]:
        return [] if self.alone else [path.name for path in aside_folders(self._folder(site))]

    def paths(self, site: str) -> list[Path]:
        base = self._folder(site) / BASE
        return [*([base] if base.exists() else []), *segments(self._folder(site))]

    def size_bytes(self, site: str) -> int:
        found = segments(self._folder(site))
        with explained("read", self._folder(site)):
            return sum(path.stat().st_size for path in found)

    def base(self, site: str) -> Checkpoint | None:
        return read_base(self._folder(site))

    def lines(self, site: str) -> Iterator[Line]:
        for segment in segments(self._folder(site)):
            yield from lines(segment)

    def records(self, site: str) -> Iterator[AuditRecord]:
        yield from records(self._folder(site))

    def find_decision(self, site: str, decision_id: str) -> AuditRecord | None:
        return find_decision(self._folder(site), decision_id)

    def _folder(self, site: str) -> Path:
        return self._directory if self.alone else self._directory / site


def read_anchor_file(path: Path) -> list[Checkpoint]:
    """What `audit.anchor_file` holds. A last line that was cut short is left aside."""
    with explained("read", path):
        content = path.read_text(encoding="utf-8", errors="replace")
    found = []
    rows = content.split("\n")
    for number, row in enumerate(rows[:-1], 1):
        try:
            found.append(parse_checkpoint(json.loads(row)))
        except (ValueError, RecursionError, DocumentInvalid) as exc:
            raise StateCorrupt(f"{path}:{number} is no checkpoint: {exc}") from exc
    return found
