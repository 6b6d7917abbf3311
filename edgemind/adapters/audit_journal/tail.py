"""What a writer finds at the end of a journal when it starts: where the chain stands, and what a crash left there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgemind.adapters.audit_journal.folder import (
    BASE,
    decision_id_of,
    first_sequence,
    index_entry,
    lines,
    read_base,
    segments,
)
from edgemind.domain.audit.chain import ChainEnd, RecordDamaged, read_line
from edgemind.domain.audit.checkpoints import Checkpoint
from edgemind.domain.audit.prunings import pruned_through
from edgemind.errors import StateCorrupt


@dataclass(frozen=True, slots=True)
class Tail:
    """`end` is None where there is no record at all. `size` is that of the segment up to its last good line, `torn`
    what follows; `index` belongs to the good lines.
    """

    segment: Path | None
    end: ChainEnd | None
    size: int = 0
    torn: int = 0
    index: bytes = b""


def read_tail(folder: Path, site: str) -> Tail:
    """StateCorrupt if the end of the journal was not left so by a crash."""
    found = segments(folder)
    while found:
        tail = _read_segment(found.pop(), site)
        # A writer that died before its first line leaves an empty segment.
        if tail.end is not None or tail.torn:
            if tail.end is None:
                before = read_tail_end(found, site, folder)
                return Tail(tail.segment, before, 0, tail.torn)
            return tail
    base = read_base(folder)
    return Tail(None, None if base is None else base.end)


def read_tail_end(found: Sequence[Path], site: str, folder: Path) -> ChainEnd | None:
    """Where the chain stands after these segments."""
    if found:
        return _read_segment(found[-1], site).end
    base = read_base(folder)
    return None if base is None else base.end


def end_of(segment: Path) -> ChainEnd:
    """Where the chain stands after a segment that is whole."""
    last = b""
    for line in lines(segment):
        last = line.content
    return read_line(last).end


def base_flaw(folder: Path) -> str | None:
    """Why nothing shows that the journal was pruned up to where it begins; None if something does.

    The record of a pruning is near the end in a journal that was pruned, so this is quick there.
    """
    base = read_base(folder)
    if base is None or (base.base and _tells_of_pruning(folder, base.sequence)):
        return None
    shown = "holds an anchor" if not base.base else "tells of a pruning that no record tells of"
    return f"its beginning was removed: its {BASE} {shown}"


def anchor_flaw(folder: Path, end: ChainEnd | None, anchors: Sequence[Checkpoint]) -> str | None:
    """Why the journal is none that was anchored; None if it is one of them."""
    own = [anchor for anchor in anchors if end is not None and anchor.chain == end.chain]
    if end is None or not own:
        return other_journal(end, anchors)
    for anchor in own:
        if anchor.sequence > end.sequence:
            return f"it was anchored with {anchor.sequence} records, and ends with {end.sequence}"
        held = end.hash if anchor.sequence == end.sequence else _hash_at(folder, anchor.sequence)
        if held not in {anchor.hash, None}:
            return f"record {anchor.sequence} is not the one that was anchored"
    return None


def other_journal(end: ChainEnd | None, anchors: Sequence[Checkpoint]) -> str | None:
    """That another one was anchored for the site, and never accepted to be gone."""
    for anchor in anchors:
        if end is None or anchor.chain != end.chain:
            found = "there is none here" if end is None else f"this one is {end.chain}"
            return f"journal {anchor.chain} was anchored with {anchor.sequence} records, and {found}"
    return None


def _read_segment(segment: Path, site: str) -> Tail:
    end: ChainEnd | None = None
    size, index, torn = 0, bytearray(), 0
    for line in lines(segment):
        length = len(line.content) + (not line.torn)
        try:
            record = read_line(line.content)
            good = not line.torn
        except RecordDamaged:
            good = False
        if not good:
            torn += length
            continue
        if torn:
            raise StateCorrupt(f"{line.place} is whole, and what stands before it is not: no crash leaves that")
        follows = (first_sequence(segment), record.chain) if end is None else (end.sequence + 1, end.chain)
        if (record.sequence, record.chain, record.site) != (*follows, site):
            raise StateCorrupt(f"{line.place} does not continue the record before it")
        if end is not None and record.previous != end.hash:
            raise StateCorrupt(f"{line.place} does not continue the record before it")
        if (decision_id := decision_id_of(record)) is not None:
            index += index_entry(decision_id, size)
        end, size = record.end, size + length
    return Tail(segment, end, size, torn, bytes(index))


def _tells_of_pruning(folder: Path, through: int) -> bool:
    for segment in reversed(segments(folder)):
        for line in lines(segment):
            if b'"event":"pruned"' not in line.content:
                continue
            try:
                if pruned_through(read_line(line.content)) >= through:
                    return True
            except RecordDamaged:
                continue
    return False


def _hash_at(folder: Path, sequence: int) -> str | None:
    """None for what was pruned."""
    for segment in reversed(segments(folder)):
        if first_sequence(segment) <= sequence:
            for line in lines(segment):
                try:
                    record = read_line(line.content)
                except RecordDamaged:
                    return ""
                if record.sequence == sequence:
                    return record.hash
            return ""
    return None
