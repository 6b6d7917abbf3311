"""Taking a person's part out of a segment: the file is written anew, its chain stays as it was."""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edgemind.adapters.audit_journal.aside import aside_folders
from edgemind.adapters.audit_journal.disk import explained
from edgemind.adapters.audit_journal.folder import (
    ENTRY_BYTES,
    ID_BYTES,
    decision_id_of,
    index_entry,
    index_path,
    lines,
    segment_files,
    segments,
)
from edgemind.adapters.state_store.durable_files import replace_durably
from edgemind.domain.audit.chain import RecordDamaged, erased, read_line
from edgemind.domain.audit.erasures import Erasure
from edgemind.domain.audit.subjects import concerns

ERASURE_BYTES = 8


@dataclass(slots=True)
class Marked:
    """A segment, and its records that concern a subject. Each segment has an erasure of its own, because it is pruned
    as a whole: what is said of its records goes with them. `aside` names the journal that was put aside and has it;
    `damaged` lines of such a one name the subject, and cannot be read."""

    segment: Path
    erasure_id: str
    aside: str | None = None
    damaged: int = 0
    erasure: Erasure = field(default_factory=Erasure)


def mark_all(folder: Path, key: str, new_id: Callable[[], str]) -> list[Marked]:
    """What concerns a subject in a journal and in those that were put aside of it.

    RecordDamaged if a record concerned cannot be read: of a damaged journal nothing is erased.
    """
    marked = [Marked(path, new_id()) for path in segments(folder)]
    marked += [Marked(path, new_id(), aside.name) for aside in aside_folders(folder) for path in segment_files(aside)]
    for one in marked:
        _mark(one, key)
    return [one for one in marked if one.erasure.records or one.damaged]


def _mark(marked: Marked, key: str) -> None:
    for line in lines(marked.segment):
        try:
            if _is_of(line.content, key):
                marked.erasure.add(read_line(line.content).sequence)
        except RecordDamaged:
            if marked.aside is None:
                raise
            marked.damaged += 1


def rewrite(marked: Marked, key: str) -> None:
    """The segment without those parts, durably, and its index."""
    content, moved, offset = bytearray(), {}, 0
    for line in lines(marked.segment):
        moved[offset] = len(content)
        kept = line.content
        with suppress(RecordDamaged):
            kept = erased(kept, marked.erasure_id) if _is_of(kept, key) else kept
        content += kept if line.torn else kept + b"\n"
        offset += len(line.content) + 1
    with explained("read", marked.segment):
        stat = marked.segment.stat()
    replace_durably(marked.segment, bytes(content))
    with explained("write", marked.segment):
        # Its age counts from when it was written, not from when something was taken out of it.
        os.utime(marked.segment, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    replace_durably(index_path(marked.segment), _moved_index(marked.segment, moved))


def _moved_index(segment: Path, moved: Mapping[int, int]) -> bytes:
    """The index with every offset where its line is now; made anew if there is none that fits."""
    try:
        before = index_path(segment).read_bytes()
        entries = [before[at : at + ENTRY_BYTES] for at in range(0, len(before), ENTRY_BYTES)]
        return b"".join(
            entry[:ID_BYTES] + moved[int.from_bytes(entry[ID_BYTES:], "big")].to_bytes(8, "big") for entry in entries
        )
    except (OSError, KeyError):
        return _read_index(segment)


def _read_index(segment: Path) -> bytes:
    index, offset = bytearray(), 0
    for line in lines(segment):
        with suppress(RecordDamaged):
            decision_id = decision_id_of(read_line(line.content))
            index += b"" if decision_id is None else index_entry(decision_id, offset)
        offset += len(line.content) + 1
    return bytes(index)


def _is_of(line: bytes, key: str) -> bool:
    if json.dumps(key)[1:-1].encode("ascii") not in line:
        return False
    opened = read_line(line).opened
    return opened is not None and concerns(opened.get("subject"), key)
