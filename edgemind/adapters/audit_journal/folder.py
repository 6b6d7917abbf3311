"""The files of one site's journal, and how they are read: by its writer's process and by everybody else.

    <directory>/<site>/0000000000000001.jsonl    a segment, named by the sequence number of its first record
                       0000000000000001.index    16 bytes a decision: 8 of its id's SHA-256, 8 of its line's offset
                       base.json                 the signed checkpoint up to which older segments were pruned
                       .lock                     held by whoever writes

Readers take no lock. The index is a hint: what it leads to is looked at, and a segment without one is read through.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from edgemind.adapters.audit_journal.disk import explained
from edgemind.domain.audit.chain import AuditRecord, RecordDamaged, read_line
from edgemind.domain.audit.checkpoints import Checkpoint, parse_checkpoint
from edgemind.domain.wire import DocumentInvalid
from edgemind.errors import StateCorrupt

BASE = "base.json"
SEGMENT = ".jsonl"
INDEX = ".index"
ASIDE = ".aside-"
"""A journal that did not fit what was anchored of it: `<site>.aside-1`."""
ID_BYTES, ENTRY_BYTES = 8, 16
_SEGMENT_NAME = re.compile(r"([0-9]{16})\.jsonl", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """`content` without its line feed; `torn` if there was none. `place` is for people."""

    content: bytes
    place: str
    torn: bool


def journal_folders(directory: Path) -> list[Path]:
    """The journals below a directory, by site; those that were put aside are not among them."""
    with explained("read", directory):
        if not directory.is_dir():
            return []
        return sorted(path for path in directory.iterdir() if path.is_dir() and ASIDE not in path.name)


def segments(folder: Path) -> list[Path]:
    """In the order of their records, without those that a pruning was about to delete when it died."""
    found = segment_files(folder)
    base = read_base(folder) if found else None
    if base is not None:
        while len(found) > 1 and first_sequence(found[1]) <= base.sequence + 1:
            found.pop(0)
    return found


def segment_files(folder: Path) -> list[Path]:
    with explained("read", folder):
        if not folder.is_dir():
            return []
        return sorted(path for path in folder.iterdir() if _SEGMENT_NAME.fullmatch(path.name))


def first_sequence(segment: Path) -> int:
    return int(segment.stem)


def segment_path(folder: Path, sequence: int) -> Path:
    return folder / f"{sequence:016d}{SEGMENT}"


def read_base(folder: Path) -> Checkpoint | None:
    """None if nothing was pruned. StateCorrupt if it cannot be read."""
    path = folder / BASE
    with explained("read", path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        return parse_checkpoint(json.loads(content))
    except (ValueError, RecursionError, DocumentInvalid) as exc:
        raise StateCorrupt(
            f"{path} cannot be used: {exc}. Without it nothing proves where the journal begins: put a copy from a "
            "backup in its place, or move the journal's folder aside as it is."
        ) from exc


def lines(segment: Path) -> Iterator[Line]:
    """A segment that was pruned meanwhile has none."""
    with explained("read", segment):
        try:
            stream = segment.open("rb")
        except FileNotFoundError:
            return
        with stream:
            for number, line in enumerate(stream, 1):
                yield Line(line.removesuffix(b"\n"), f"{segment.name}:{number}", not line.endswith(b"\n"))


def records(folder: Path) -> Iterator[AuditRecord]:
    """Those that can be read, in their order: for looking, not for proving."""
    for segment in segments(folder):
        for line in lines(segment):
            try:
                yield read_line(line.content)
            except RecordDamaged:
                continue


def index_entry(decision_id: str, offset: int) -> bytes:
    return _index_key(decision_id) + offset.to_bytes(8, "big")


def index_path(segment: Path) -> Path:
    return segment.with_suffix(INDEX)


def decision_id_of(record: AuditRecord) -> str | None:
    """What its segment's index is asked for."""
    found = record.body.get("id") if record.kind == "decision" else None
    return found if isinstance(found, str) else None


def find_decision(folder: Path, decision_id: str) -> AuditRecord | None:
    """The newest record of a decision. StoreUnavailable or StateCorrupt if the journal cannot be read."""
    for segment in reversed(segments(folder)):
        found = _find_in(segment, decision_id)
        if found is not None:
            return found
    return None


def _find_in(segment: Path, decision_id: str) -> AuditRecord | None:
    try:
        index = index_path(segment).read_bytes()
    except OSError:
        return _scan(segment, decision_id)
    key, at = _index_key(decision_id), -1
    while (at := index.find(key, at + 1)) >= 0:
        if at % ENTRY_BYTES:
            continue
        found = _read_at(segment, int.from_bytes(index[at + ID_BYTES : at + ENTRY_BYTES], "big"))
        if found is None:
            # An erasure is about to renew it.
            return _scan(segment, decision_id)
        if decision_id_of(found) == decision_id:
            return found
    return None


def _scan(segment: Path, decision_id: str) -> AuditRecord | None:
    needle = json.dumps(decision_id).encode("ascii")
    for line in lines(segment):
        if needle in line.content:
            try:
                record = read_line(line.content)
            except RecordDamaged:
                continue
            if decision_id_of(record) == decision_id:
                return record
    return None


def _read_at(segment: Path, offset: int) -> AuditRecord | None:
    with explained("read", segment), segment.open("rb") as stream:
        stream.seek(offset)
        try:
            return read_line(stream.readline().removesuffix(b"\n"))
        except RecordDamaged:
            return None


def _index_key(decision_id: str) -> bytes:
    return sha256(decision_id.encode("utf-8", "replace")).digest()[:ID_BYTES]
