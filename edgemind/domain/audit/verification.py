"""Verification of a journal: a fold over its lines, from where it begins to what was anchored of it.

It ends at the first record that is not what was written, and says why. What it cannot find: records that were cut off
behind the last anchor, and what a writer was made to write in the first place.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from edgemind.domain.audit.chain import AuditRecord, ChainEnd, RecordDamaged, genesis, read_line
from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys
from edgemind.domain.audit.entries import EntryKind
from edgemind.domain.audit.erasures import Erasure, told_of
from edgemind.domain.audit.prunings import pruned_through


class FlawKind(StrEnum):
    EDITED = "edited"
    """A line is not what its hash says."""
    CUT = "cut"
    """Records in the middle, or at the beginning, are missing."""
    REORDERED = "reordered"
    """Records stand where they were not written."""
    CUT_TAIL = "cut_tail"
    """It ends before what was anchored of it."""
    REWRITTEN = "rewritten"
    """It fits itself, and not what was anchored of it."""
    FOREIGN = "foreign"
    """A record of another site, or of another journal of this one."""
    FORGED = "forged"
    """A checkpoint's signature is not the fleet's."""
    WIPED = "wiped"
    """A person's part is gone, and no erasure on record took it."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """`sequence` is that of the first bad record, `place` where it stands (file and line)."""

    kind: FlawKind
    sequence: int
    place: str
    why: str


@dataclass(slots=True)
class Verified:
    """What a journal holds, up to its first flaw. Times are wall times; None while there is no record.

    `first` is the sequence number that it begins with: above 1, the records before it were pruned. `anchored` is the
    newest anchor that it fits, 0 if there was none; `signed` tells whether signatures were checked.
    """

    site: str
    chain: str | None = None
    first: int = 1
    last: int = 0
    from_ms: int | None = None
    to_ms: int | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    erased: int = 0
    dropped: int = 0
    lost_tagged: int = 0
    torn_bytes: int = 0
    anchors: int = 0
    anchored: int = 0
    signed: bool = False
    flaw: Flaw | None = None

    @property
    def records(self) -> int:
        return sum(self.kinds.values())


class Verification:
    """Of one site's journal. `base` is the checkpoint that pruning left, `anchors` what is known of it elsewhere."""

    def __init__(self, site: str, base: Checkpoint | None, anchors: Sequence[Checkpoint], keys: CheckpointKeys) -> None:
        self.told = Verified(site, anchors=len(anchors), signed=bool(keys))
        self._anchors = deque(sorted(anchors, key=lambda one: one.sequence))
        self._end: ChainEnd | None = None
        self._missing: int | None = None
        self._erasures: dict[str, Erasure] = {}
        self._told_erasures: dict[str, str] = {}
        self._base = base
        self._pruned_through = 0
        for checkpoint in (*(() if base is None else (base,)), *self._anchors):
            misplaced = "stands in another's place: " + ("it is an anchor" if checkpoint is base else "it is a base")
            why = keys.flaw(checkpoint) or (misplaced if checkpoint.base != (checkpoint is base) else None)
            if why is not None:
                self._fail(FlawKind.FORGED, checkpoint.sequence, "", f"the checkpoint at {checkpoint.sequence} {why}")
                return
        if base is not None:
            self._begin(base.end)

    def take(self, line: bytes, place: str) -> bool:
        """The next line, without its line feed. False once there is nothing more to find out."""
        if self._failed():
            return self._look_for_missing(line)
        try:
            record = read_line(line)
        except RecordDamaged as exc:
            self._fail(FlawKind.EDITED, self._expected(), place, str(exc))
            return False
        if self._end is None:
            self._begin(genesis(self.told.site, record.chain))
        if not self._failed() and self._continues(record, place):
            self._count(record)
            self._compare(record, place)
        return not self._failed() or self._missing is not None

    def finish(self, torn_bytes: int = 0) -> Verified:
        """After the last line. `torn_bytes` follow it without a line feed: a crash, if nothing of them was anchored."""
        told = self.told
        told.torn_bytes = torn_bytes
        if told.flaw is None:
            self._check_tail()
        if told.flaw is None:
            self._check_beginning()
        if told.flaw is None:
            self._check_erasures()
        return told

    def _failed(self) -> bool:
        return self.told.flaw is not None

    def _expected(self) -> int:
        return 1 if self._end is None else self._end.sequence + 1

    def _begin(self, end: ChainEnd) -> None:
        self._end = end
        self.told.chain, self.told.first, self.told.last = end.chain, end.sequence + 1, end.sequence
        other = next((anchor for anchor in self._anchors if anchor.chain != end.chain), None)
        if other is not None:
            why = (
                f"journal {other.chain} was anchored for this site, with {other.sequence} records; this is {end.chain}"
            )
            self._fail(FlawKind.REWRITTEN, end.sequence + 1, "", why)

    def _continues(self, record: AuditRecord, place: str) -> bool:
        end = self._end
        assert end is not None
        if (record.site, record.chain) != (end.site, end.chain):
            whose = f"it is of {record.site}'s journal {record.chain}, not of {end.site}'s {end.chain}"
            self._fail(FlawKind.FOREIGN, record.sequence, place, whose)
        elif record.sequence < end.sequence + 1:
            self._fail(FlawKind.REORDERED, record.sequence, place, f"it stands again behind record {end.sequence}")
        elif record.sequence > end.sequence + 1:
            self._missing = end.sequence + 1
            why = f"it is missing: record {record.sequence} follows {end.sequence}"
            self._fail(FlawKind.CUT, self._missing, place, why)
        elif record.previous != end.hash:
            why = f"it does not continue record {end.sequence}: one of the two was written anew"
            self._fail(FlawKind.EDITED, record.sequence, place, why)
        return self.told.flaw is None

    def _look_for_missing(self, line: bytes) -> bool:
        """Whether the record that is missing comes later: then nothing was cut, the order was changed."""
        if self._missing is None:
            return False
        try:
            found = read_line(line).sequence == self._missing
        except RecordDamaged:
            return True
        flaw = self.told.flaw
        if found and flaw is not None:
            self.told.flaw = Flaw(FlawKind.REORDERED, flaw.sequence, flaw.place, "it stands behind later records")
            self._missing = None
        return not found

    def _count(self, record: AuditRecord) -> None:
        told = self.told
        self._end, told.last = record.end, record.sequence
        told.kinds[record.kind] += 1
        told.from_ms = record.at_ms if told.from_ms is None else min(told.from_ms, record.at_ms)
        told.to_ms = record.at_ms if told.to_ms is None else max(told.to_ms, record.at_ms)
        if record.erased_by is not None:
            told.erased += 1
            self._erasures.setdefault(record.erased_by, Erasure()).add(record.sequence)
        self._pruned_through = max(self._pruned_through, pruned_through(record))
        if record.kind == EntryKind.JOURNAL:
            told.dropped += _number(record.body.get("dropped"))
            told.lost_tagged += _number(record.body.get("lost_tagged"))
            erasure = told_of(record.body)
            if erasure is not None:
                self._told_erasures[erasure[0]] = erasure[1]

    def _compare(self, record: AuditRecord, place: str) -> None:
        for anchor in self._due(record.sequence):
            if (anchor.sequence, anchor.hash) == (record.sequence, record.hash):
                self.told.anchored = anchor.sequence
                continue
            since = f"after {self.told.anchored}" if self.told.anchored else "from the beginning"
            why = f"it is not the one that was anchored: the journal was written anew, {since}"
            self._fail(FlawKind.REWRITTEN, record.sequence, place, why)
            return

    def _due(self, sequence: int) -> Iterable[Checkpoint]:
        while self._anchors and self._anchors[0].sequence <= sequence:
            anchor = self._anchors.popleft()
            # What lies before the beginning was pruned: the signed base stands for it.
            if anchor.sequence >= self.told.first:
                yield anchor

    def _check_tail(self) -> None:
        """What was anchored and is not here."""
        for anchor in self._anchors:
            if self._end is not None and anchor.sequence < self.told.first:
                # Everything up to here was pruned.
                continue
            why = f"it is missing: the journal was anchored at {anchor.sequence}, and ends with {self.told.last}"
            self._fail(FlawKind.CUT_TAIL, self.told.last + 1, "", why)
            return

    def _check_beginning(self) -> None:
        """A base alone proves nothing: whoever can sign could make one."""
        if self._base is not None and self._pruned_through < self._base.sequence:
            why = (
                f"it is missing: the journal begins behind record {self._base.sequence}, and no record tells of a "
                "pruning up to there"
            )
            self._fail(FlawKind.CUT, self._pruned_through + 1, "", why)

    def _check_erasures(self) -> None:
        for erasure_id, found in self._erasures.items():
            if self._told_erasures.get(erasure_id) != found.digest:
                why = (
                    f"{found.records} records lack the part of a person, and no erasure on record took just those "
                    f"(erasure {erasure_id})"
                )
                self._fail(FlawKind.WIPED, 0, "", why)
                return

    def _fail(self, kind: FlawKind, sequence: int, place: str, why: str) -> None:
        self.told.flaw = Flaw(kind, sequence, place, why)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
