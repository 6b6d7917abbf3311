"""Where a site keeps what has to be provable afterwards."""

from collections.abc import Mapping
from typing import Protocol

from edgemind.domain.audit.entries import AuditEntry
from edgemind.domain.audit.status import AuditStatus


class AuditJournal(Protocol):
    """One site's; written from its event loop."""

    def record(self, entry: AuditEntry) -> None:
        """Takes it at once and writes it later: it neither blocks nor raises; what had to be dropped is counted."""


class SiteAudit(AuditJournal, Protocol):
    """The journal as its controller's process holds it."""

    @property
    def status(self) -> AuditStatus:
        """How it gets along; costs nothing."""

    def lost(self, tagged: int, sampled: int) -> None:
        """Decisions that gateways could not hand over: they are counted with those that were dropped here."""

    def find_decision(self, decision_id: str) -> Mapping[str, object] | None:
        """The body of a decision's entry with what is left of its personal part under `personal`; None if none is kept.

        Blocks. StoreUnavailable or StateCorrupt if the journal cannot be read.
        """

    def erase(self, key: str, asked_by: str) -> int:
        """Take out all that was recorded of a subject, and say of how many records. Durable when it returns.

        Blocks until what was recorded before is written. StoreUnavailable, when some of it may be erased already; or
        PermanentError if the journal is damaged.
        """

    def close(self) -> None:
        """Blocks until what waits is written, if that can be."""
