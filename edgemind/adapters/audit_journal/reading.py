"""Journals on a disk, for whoever looks into them or verifies them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
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


class JournalFiles:
    """`ports.audit_files.AuditFiles` below a directory, or of a directory that is itself one journal."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.alone = bool(segments(directory))
        self.put_aside = self.alone and ASIDE in directory.name

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


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """What `audit.anchor_file` holds. `damaged` rows are told with their place: a crash tore them, or somebody did."""

    checkpoints: list[Checkpoint]
    damaged: list[str]


def read_anchor_file(path: Path) -> AnchorFile:
    """A last row that was cut short may be on its way, and is left aside."""
    found = AnchorFile([], [])
    with explained("read", path), path.open("rb") as stream:
        for number, row in enumerate(stream, 1):
            if not row.endswith(b"\n") or not row.strip():
                continue
            try:
                found.checkpoints.append(parse_checkpoint(json.loads(row)))
            except (ValueError, RecursionError, DocumentInvalid) as exc:
                found.damaged.append(f"{path}:{number} is no checkpoint: {exc}")
    return found
