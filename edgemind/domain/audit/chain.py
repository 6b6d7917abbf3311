"""The hash chain of one site's journal: how an entry becomes a line, and how a line is read back.

    {"at_ms":..,"body":..,"chain":..,"kind":..,"personal":..,"prev":..,"seq":..,"site":..,"v":1,"hash":"H","open":O}

H is the SHA-256 of the line up to "v" as an object of its own: it covers the hash before it (`prev`), so a record
stands for all before it. `personal` is the SHA-256 of O, which holds a person's part with 16 random bytes of salt, or
null. Erasing puts {"erased": ID} in the place of O: the hash stays good, and without the salt the commitment cannot be
used to find out by trial what it was made of.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from edgemind.domain.audit.encoding import canonical, plain
from edgemind.domain.audit.entries import AuditEntry
from edgemind.errors import PermanentError

RECORD_VERSION = 1
SALT_BYTES = 16
CHAIN_ID_BYTES = 8
LINE_LIMIT_BYTES = 131_072
"""Of a line. What would be longer is kept without its person's part, and then without its body; it says so."""
_HASH_MARK = ',"hash":"'
_OPEN_MARK = '","open":'


class RecordDamaged(PermanentError):
    """A line that no journal wrote; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """Where a chain stands: `sequence` counts its records from 1, so it is also how many there ever were."""

    site: str
    chain: str
    sequence: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line, read and found whole. `personal` is its commitment, `opened` what is left of a person's part."""

    site: str
    chain: str
    sequence: int
    previous: str
    hash: str
    kind: str
    at_ms: int
    body: dict[str, Any]
    personal: str | None
    opened: dict[str, Any] | None

    @property
    def erased_by(self) -> str | None:
        """The id of the erasure that took its person's part."""
        return None if self.opened is None else self.opened.get("erased")

    @property
    def end(self) -> ChainEnd:
        return ChainEnd(self.site, self.chain, self.sequence, self.hash)


def genesis(site: str, chain: str) -> ChainEnd:
    """Before the first record of a chain. `chain` is random, so that no two journals of a site pass for one."""
    return ChainEnd(site, chain, 0, sha256(canonical(["edgemind audit journal", 1, site, chain])).hexdigest())


def chained(end: ChainEnd, entry: AuditEntry, salt: bytes) -> tuple[bytes, ChainEnd]:
    """The entry's line (with its line feed) after `end`, and where the chain stands then."""
    body, opened = plain(entry.body), _opened(entry, salt)
    line, after = _line(end, entry, body, opened)
    if len(line) > LINE_LIMIT_BYTES and opened is not None:
        line, after = _line(end, entry, body, {**opened, "body": {"left_out_bytes": len(canonical(opened["body"]))}})
    if len(line) > LINE_LIMIT_BYTES:
        line, after = _line(end, entry, {"left_out_bytes": len(canonical(body))}, None)
    return line, after


def read_line(line: bytes) -> AuditRecord:
    """The record in a line without its line feed. RecordDamaged unless it is, byte for byte, what a journal wrote."""
    try:
        document = json.loads(line)
        record = _record(document)
        sealed = canonical(_sealed(document))
        opened = canonical(document["open"])
        rebuilt = _joined(sealed, record.hash, opened)
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise RecordDamaged("it is no record of a journal") from exc
    if rebuilt != line:
        raise RecordDamaged("it is not written as a journal writes")
    if sha256(sealed).hexdigest() != record.hash:
        raise RecordDamaged("its hash does not fit it")
    committed = None if record.opened is None else sha256(opened).hexdigest()
    if record.erased_by is None and record.personal != committed:
        raise RecordDamaged("its person's part is not the one that it commits to")
    return record


def erased(line: bytes, erasure: str) -> bytes:
    """A good line (without its line feed) without its person's part; the chain does not notice."""
    document = json.loads(line)
    return _joined(canonical(_sealed(document)), document["hash"], canonical({"erased": erasure}))


def _opened(entry: AuditEntry, salt: bytes) -> dict[str, object] | None:
    if entry.subject is None and entry.personal is None:
        return None
    return {"body": plain(entry.personal), "salt": salt.hex(), "subject": entry.subject}


def _line(end: ChainEnd, entry: AuditEntry, body: object, opened: object) -> tuple[bytes, ChainEnd]:
    sequence = end.sequence + 1
    sealed = canonical(
        {
            "at_ms": entry.at_ms,
            "body": body,
            "chain": end.chain,
            "kind": entry.kind.value,
            "personal": _commitment(opened),
            "prev": end.hash,
            "seq": sequence,
            "site": end.site,
            "v": RECORD_VERSION,
        }
    )
    digest = sha256(sealed).hexdigest()
    return _joined(sealed, digest, canonical(opened)) + b"\n", ChainEnd(end.site, end.chain, sequence, digest)


def _commitment(opened: object) -> str | None:
    return None if opened is None else sha256(canonical(opened)).hexdigest()


def _joined(sealed: bytes, digest: str, opened: bytes) -> bytes:
    return b"".join((sealed[:-1], _HASH_MARK.encode(), digest.encode("ascii"), _OPEN_MARK.encode(), opened, b"}"))


def _sealed(document: dict[str, Any]) -> dict[str, Any]:
    """Everything but what stands behind it: a newer version's fields are part of the hash, too."""
    return {name: value for name, value in document.items() if name not in {"hash", "open"}}


def _record(document: Any) -> AuditRecord:
    opened = document["open"]
    record = AuditRecord(
        site=document["site"],
        chain=document["chain"],
        sequence=document["seq"],
        previous=document["prev"],
        hash=document["hash"],
        kind=document["kind"],
        at_ms=document["at_ms"],
        body=document["body"],
        personal=document["personal"],
        opened=opened,
    )
    texts = (record.site, record.chain, record.previous, record.hash, record.kind)
    if not all(isinstance(text, str) for text in texts) or not isinstance(record.body, dict):
        raise TypeError
    if type(record.sequence) is not int or type(record.at_ms) is not int or type(document["v"]) is not int:
        raise TypeError
    if not isinstance(opened, dict | None) or not isinstance(record.personal, str | None):
        raise TypeError
    if opened is not None and "erased" in opened and not _is_erased(opened, record.personal):
        raise TypeError
    return record


def _is_erased(opened: dict[str, Any], personal: str | None) -> bool:
    """No hash covers what stands in the place of an erased part: nothing but the erasure's id may be there."""
    return opened.keys() == {"erased"} and isinstance(opened["erased"], str) and personal is not None
