"""How a site gets along with its audit journal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """`ok` is false while entries cannot be written, or what is there does not fit what was anchored; `trouble` says
    what it is and what to do. `dropped` entries were lost since the controller started, `lost_tagged` of them
    decisions with a residency. `records` is how many the journal ever had, `anchored` how many of them are anchored.
    """

    ok: bool
    enabled: bool = True
    records: int = 0
    anchored: int = 0
    waiting: int = 0
    dropped: int = 0
    lost_tagged: int = 0
    trouble: str | None = None
