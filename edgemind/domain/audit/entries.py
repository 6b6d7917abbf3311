"""What the audit journal keeps, before it is chained."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """Decisions are a sample, and every one with a residency; of the others all are kept.

    JOURNAL entries are the journal's own: that it started, what was dropped, pruned or erased.
    """

    DECISION = "decision"
    ROUND = "round"
    EFFECT = "effect"
    POLICY_CHANGE = "policy_change"
    ADMIN_ACTION = "admin_action"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that happened at `at_ms` (wall time). `body` is JSON that holds no prompt and no secret.

    `subject` is the key that a person's data can be erased by; None where no person is concerned. What is erased with
    it is `personal` and the key itself: `body` stays, so it names nobody. `domain.audit.subjects` makes keys.
    """

    kind: EntryKind
    at_ms: int
    site: str
    body: Mapping[str, object]
    subject: str | None = None
    personal: Mapping[str, object] | None = None
