"""The residency proof: of every kept decision with a residency, that it ran in one of the zones that it allows.

It is about where requests ran or were tried, by the zones that the sites were declared in then; not about the ingress,
which the device chose. Of one request the ingress and the site that served it each keep a record.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from edgemind.domain.audit.chain import AuditRecord
from edgemind.domain.audit.entries import EntryKind

VIOLATIONS_NAMED = 100


@dataclass(frozen=True, slots=True)
class Violation:
    sequence: int
    decision: str
    at_ms: int
    residency: tuple[str, ...]
    site: str
    zones: tuple[str, ...]


@dataclass(slots=True)
class ResidencyProof:
    """Of one journal. `ran` counts tagged decisions by the site that took them, `shed` those that nobody took.

    `violating` decisions ran elsewhere; the first 100 are named. `unreadable` records do not say where they ran.
    """

    zone: str | None = None
    tagged: int = 0
    shed: int = 0
    violating: int = 0
    unreadable: int = 0
    ran: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def take(self, record: AuditRecord) -> None:
        """The next record of a journal; one that is no tagged decision changes nothing."""
        if record.kind != EntryKind.DECISION:
            return
        if "left_out_bytes" in record.body:
            # It was too long to be kept: whether it had a residency is not known either.
            self.unreadable += 1
            return
        residency = _texts(record.body.get("residency"))
        if not residency or (self.zone is not None and self.zone not in residency):
            return
        self.tagged += 1
        ran = record.body.get("ran")
        if not isinstance(ran, dict):
            self.unreadable += 1
            return
        if not ran:
            self.shed += 1
        self._judge(record, residency, ran)

    def _judge(self, record: AuditRecord, residency: tuple[str, ...], ran: dict[str, Any]) -> None:
        outside = False
        for site, told in ran.items():
            zones = _texts(told)
            self.ran[site] += 1
            if not set(zones) & set(residency):
                outside = True
                if len(self.violations) < VIOLATIONS_NAMED:
                    decision = str(record.body.get("id"))
                    self.violations.append(Violation(record.sequence, decision, record.at_ms, residency, site, zones))
        self.violating += outside


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()
