"""What an erasure leaves behind: a record in the chain that says how many persons' parts it took, and which.

Without it a part that is missing was taken by somebody who did not want to be known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

EVENT = "erased"


@dataclass(slots=True)
class Erasure:
    """`digest` is over the sequence numbers of the records concerned, in their order."""

    records: int = 0
    _sequences: Any = field(default_factory=sha256)

    def add(self, sequence: int) -> None:
        self.records += 1
        self._sequences.update(b"%d\n" % sequence)

    @property
    def digest(self) -> str:
        return str(self._sequences.hexdigest())


def erasure_body(erasure_id: str, erasure: Erasure, asked_by: str, journal: str | None = None) -> dict[str, Any]:
    """Of the journal's own entry. The subject is not in it: it would be a trace of who was erased. `journal` is the one
    that it was erased in, if that was put aside."""
    return {
        **({} if journal is None else {"journal": journal}),
        "event": EVENT,
        "erasure": erasure_id,
        "records": erasure.records,
        "digest": erasure.digest,
        "asked_by": asked_by,
    }


def told_of(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """Id and digest of the erasure that a journal's entry tells of."""
    erasure, digest = body.get("erasure"), body.get("digest")
    if body.get("event") != EVENT or not isinstance(erasure, str) or not isinstance(digest, str):
        return None
    return erasure, digest
