"""Where a site keeps what has to be provable afterwards."""

from typing import Protocol

from edgemind.domain.audit.entries import AuditEntry


class AuditJournal(Protocol):
    """One site's; written from its event loop."""

    def record(self, entry: AuditEntry) -> None:
        """Takes it at once and writes it later: it neither blocks nor raises; what had to be dropped is counted."""
