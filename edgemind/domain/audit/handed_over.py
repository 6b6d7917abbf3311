"""Decisions on their way from a gateway worker to its controller's journal, inside the worker's report.

A batch is sent again, as it was, until the controller has acknowledged it; the controller takes each once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.domain.wire import Fields


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """`ran` are the sites where it ran or was tried, with their zones as declared then. `personal` may hold the whole
    explanation."""

    id: str
    at_ms: int
    model: str
    reason: str
    status: int
    residency: tuple[str, ...]
    ran: Mapping[str, tuple[str, ...]]
    subject: str | None
    personal: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Batch `batch` of the worker's run `run`. Decisions that it had to let go since the batch before are counted."""

    run: str
    batch: int
    decisions: tuple[KeptDecision, ...] = ()
    lost_tagged: int = 0
    lost_sampled: int = 0


def parse_handed_over(fields: Fields) -> HandedOver:
    """DocumentInvalid names the first field that is wrong."""
    return HandedOver(
        run=fields.text("run"),
        batch=fields.count("batch"),
        decisions=tuple(_decision(one) for one in fields.listed("decisions")),
        lost_tagged=fields.count("lost_tagged", 0),
        lost_sampled=fields.count("lost_sampled", 0),
    )


def kept_entry(site: str, kept: KeptDecision) -> AuditEntry:
    """What the journal of `site` keeps of it."""
    body = {
        "id": kept.id,
        "at_ms": kept.at_ms,
        "model": kept.model,
        "reason": kept.reason,
        "status": kept.status,
        "residency": list(kept.residency),
        "ran": {where: list(zones) for where, zones in kept.ran.items()},
    }
    return AuditEntry(EntryKind.DECISION, kept.at_ms, site, body, kept.subject, kept.personal)


def _decision(fields: Fields) -> KeptDecision:
    ran = fields.object_or_empty("ran")
    personal = fields.anything("personal")
    return KeptDecision(
        id=fields.text("id"),
        at_ms=fields.count("at_ms"),
        model=fields.long_text("model", ""),
        reason=fields.long_text("reason", ""),
        status=fields.count("status", 0),
        residency=fields.texts("residency"),
        ran={site: ran.texts(site) for site in fields.names("ran")},
        subject=fields.text_or_none("subject"),
        personal=personal if isinstance(personal, Mapping) else {},
    )
