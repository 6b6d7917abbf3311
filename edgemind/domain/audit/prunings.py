"""What a pruning leaves behind: a record in the chain that says how far it went.

Without it whoever can read one anchor could put a copy in the place of the base, and remove the records before it.
"""

from typing import Any

from edgemind.domain.audit.chain import AuditRecord
from edgemind.domain.audit.entries import EntryKind

EVENT = "pruned"


def pruning_body(through: int, records: int) -> dict[str, Any]:
    """Of the journal's own entry: `records` were deleted, the last of them `through`."""
    return {"event": EVENT, "through": through, "records": records}


def pruned_through(record: AuditRecord) -> int:
    """Up to which record this one says that the journal was pruned; 0 if it does not."""
    through = record.body.get("through")
    told = record.kind == EntryKind.JOURNAL and record.body.get("event") == EVENT
    return through if told and type(through) is int else 0
