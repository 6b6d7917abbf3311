"""Audit journals as they lie on a disk, to be read: by commands, whoever writes them meanwhile."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from edgemind.domain.audit.chain import AuditRecord
from edgemind.domain.audit.checkpoints import Checkpoint


class JournalLine(Protocol):
    """`content` without its line feed; `torn` if it has none. `place` tells people where it stands."""

    @property
    def content(self) -> bytes: ...

    @property
    def place(self) -> str: ...

    @property
    def torn(self) -> bool: ...


class AuditFiles(Protocol):
    """Every method blocks. Raises StoreUnavailable, or StateCorrupt."""

    @property
    def alone(self) -> bool:
        """Whether it is one journal, not a folder of them."""

    @property
    def put_aside(self) -> bool:
        """Whether it is one that did not fit what was anchored of it."""

    def sites(self) -> list[str]:
        """Whose journals are here, by name."""

    def aside(self, site: str) -> list[str]:
        """Folders of its journals that did not fit what was anchored of them, `<site>.aside-1`."""

    def paths(self, site: str) -> list[Path]:
        """The files that have to be copied to verify it elsewhere."""

    def size_bytes(self, site: str) -> int: ...

    def base(self, site: str) -> Checkpoint | None:
        """Up to where it was pruned; None if it was not."""

    def lines(self, site: str) -> Iterator[JournalLine]:
        """All of it, in its order, as it is."""

    def records(self, site: str) -> Iterator[AuditRecord]:
        """Those of its records that can be read, in their order."""

    def find_decision(self, site: str, decision_id: str) -> AuditRecord | None:
        """The newest record of a decision."""
