"""`benchmarks audit`: writing, explaining, verifying and erasing among many decisions of one site's journal."""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from edgemind.adapters.audit_journal.reading import JournalFiles
from edgemind.adapters.audit_journal.segment_log import KeepRules, SegmentLog
from edgemind.domain.audit.checkpoints import CheckpointKeys
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.services.audit.verify_journal import verify_journal

SITE = "site-a"
BATCH = 1000
LOOKUPS = 200
NOW_MS = 1_700_000_000_000
_KEYS = CheckpointKeys(("a benchmark's secret",))
_EXPLANATION = Path(__file__).parents[1] / "tests" / "support" / "explanation.json"


@dataclass(frozen=True, slots=True)
class AuditCosts:
    """Times in the units of their names. A look-up opens nothing before: each is what a controller does for one."""

    records: int
    bytes_per_record: float
    write_us: float
    find_p50_ms: float
    find_max_ms: float
    absent_ms: float
    verify_s: float
    erase_s: float
    erased: int


def measure_audit(records: int, progress: Callable[[str], None]) -> AuditCosts:
    """Every tenth decision has its whole explanation, as those of a busy worker have."""
    explanation = json.loads(_EXPLANATION.read_text(encoding="utf-8"))
    with TemporaryDirectory(prefix="edgemind-bench-") as place:
        free = shutil.disk_usage(place).free
        if free < records * 2000:
            raise OSError(f"{place} has {free >> 20} MiB free, and the journal may take {records * 2000 >> 20} MiB")
        folder = Path(place) / SITE
        log = SegmentLog(folder, SITE, _KEYS, KeepRules(16 << 20, 1 << 50, 90.0), secrets.token_bytes)
        log.begin([])
        write_s = _write(log, records, explanation, progress)
        files = JournalFiles(Path(place))
        size = files.size_bytes(SITE)
        found = _look_ups(files, records)
        absent_ms = _timed_ms(lambda: files.find_decision(SITE, "dec-site-a-0-none"))
        progress("verifying")
        began = time.perf_counter()
        told = verify_journal(files, SITE, [log.checkpoint(NOW_MS)], _KEYS)
        verify_s = time.perf_counter() - began
        assert told.flaw is None
        progress("erasing")
        began = time.perf_counter()
        erased = log.erase("tenant:t7", "benchmark", NOW_MS)
        erase_s = time.perf_counter() - began
        log.close()
    return AuditCosts(
        records,
        size / records,
        write_s / records * 1e6,
        median(found),
        max(found),
        absent_ms,
        verify_s,
        erase_s,
        erased,
    )


def _write(log: SegmentLog, records: int, explanation: object, progress: Callable[[str], None]) -> float:
    took_s = 0.0
    for first in range(0, records, BATCH):
        batch = [_decision(number, explanation) for number in range(first, min(records, first + BATCH))]
        began = time.perf_counter()
        log.append(batch)
        took_s += time.perf_counter() - began
        if first % (100 * BATCH) == 0:
            progress(f"{first} decisions written")
    log.sync()
    return took_s


def _decision(number: int, explanation: object) -> AuditEntry:
    body = {
        "id": _decision_id(number),
        "at_ms": NOW_MS + number,
        "model": "detector",
        "reason": "table",
        "status": 200,
        "residency": ["de"],
        "ran": {SITE: ["de", "eu"]},
    }
    tenant = f"t{number % 50}"
    personal: dict[str, object] = {"tenant": tenant, "predicted_ms": 40.25, "actual_ms": 41.5}
    if number % 10 == 0:
        personal["explanation"] = explanation
    return AuditEntry(EntryKind.DECISION, NOW_MS + number, SITE, body, f"tenant:{tenant}", personal)


def _decision_id(number: int) -> str:
    return f"dec-{SITE}-0-{number:016x}"


def _look_ups(files: JournalFiles, records: int) -> list[float]:
    random = Random(1)
    took = []
    for _ in range(LOOKUPS):
        wanted = _decision_id(random.randrange(records))
        took.append(_timed_ms(lambda wanted=wanted: files.find_decision(SITE, wanted)))  # type: ignore[misc]
    return took


def _timed_ms(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000.0
