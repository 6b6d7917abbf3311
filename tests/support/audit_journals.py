"""Journals to be tampered with, and entries to fill them."""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from random import Random

from edgemind.adapters.audit_journal.segment_log import KeepRules, SegmentLog
from edgemind.domain.audit.chain import ChainEnd, chained, genesis
from edgemind.domain.audit.checkpoints import Checkpoint, CheckpointKeys
from edgemind.domain.audit.entries import AuditEntry, EntryKind

SECRET = "between-sites"
KEYS = CheckpointKeys((SECRET,))
NOW_MS = 1_700_000_000_000
RULES = KeepRules(segment_bytes=4000, keep_bytes=1 << 30, keep_days=90.0)


def entropy(seed: int = 7) -> Callable[[int], bytes]:
    return Random(seed).randbytes


def decision(number: int, subject: str | None = "tenant:acme", **body: object) -> AuditEntry:
    told = {"id": f"dec-site-a-0-{number:016x}", "residency": ["de"], "ran": {"site-a": ["de", "eu"]}, **body}
    return AuditEntry(EntryKind.DECISION, NOW_MS + number, "site-a", told, subject, {"tenant": "acme", "n": number / 7})


def action(number: int) -> AuditEntry:
    return AuditEntry(EntryKind.ADMIN_ACTION, NOW_MS + number, "site-a", {"action": "drain", "role": "operator"})


def entries(number: int) -> list[AuditEntry]:
    return [decision(k) if k % 3 else action(k) for k in range(number)]


def chain_of(told: Iterable[AuditEntry], site: str = "site-a", chain: str = "c0ffee") -> tuple[list[bytes], ChainEnd]:
    """Lines without line feeds, and where they end."""
    end, lines, random = genesis(site, chain), [], entropy()
    for entry in told:
        line, end = chained(end, entry, random(16))
        lines.append(line.removesuffix(b"\n"))
    return lines, end


def anchor(end: ChainEnd, keys: CheckpointKeys = KEYS) -> Checkpoint:
    return keys.signed(Checkpoint(end.site, end.chain, end.sequence, end.hash, NOW_MS))


def open_log(folder: Path, rules: KeepRules = RULES, anchors: Iterable[Checkpoint] = (), seed: int = 7) -> SegmentLog:
    log = SegmentLog(folder, "site-a", KEYS, rules, entropy(seed))
    log.begin(list(anchors))
    return log


def numbered() -> Callable[[], int]:
    return count().__next__
