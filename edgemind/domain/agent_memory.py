"""What a site remembers of its rounds and of accepted advice, as documents, and how memories are found again.

Version 1 of the document. Readers ignore fields that they do not know, and default those that are missing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from edgemind.domain.wire import LONG_TEXT_LIMIT, DocumentInvalid, Fields

MEMORY_VERSION = 1
RECALL_LIMIT = 100
"""Memories in one answer."""
QUERY_LIMIT = 400
"""Characters to look for."""
_TERM = re.compile(r"\w+")


class MemoryKind(StrEnum):
    """`learned` is what AgentCore's strategies made of the others; nobody here writes it."""

    ACTIVATION = "activation"
    OUTCOME = "outcome"
    EFFECT = "effect"
    ADVICE = "advice"
    NOTE = "note"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Memory:
    """One thing that happened at `at_ms` (wall time) at `site`, in words. `fence` is the round that it belongs to.

    `id` is the same for the same thing, however often it is told. `by` says who told it: a role, a caller, a site.
    """

    id: str
    kind: MemoryKind
    at_ms: int
    site: str
    text: str
    fence: str | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to recall: all that is given has to fit. Without a `text` the newest come first, else the best match.

    `since_ms` and `until_ms` are wall time, the one inclusive, the other not.
    """

    text: str = ""
    kind: MemoryKind | None = None
    site: str | None = None
    since_ms: int = 0
    until_ms: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Recollection:
    """`kept` says where memories are; `matched_by` how a text was looked for. `damaged` could not be read."""

    memories: list[Memory]
    kept: str
    matched_by: str
    damaged: int = 0


def identity_of(metro: str, fence: str, site: str, kind: MemoryKind, text: str) -> str:
    """The same for the same thing, whoever tells it: of each round one breach and one outcome a site, of the rest by
    its words."""
    whole = kind in {MemoryKind.ACTIVATION, MemoryKind.OUTCOME}
    words = "" if whole else f"/{sha256(text.encode()).hexdigest()[:16]}"
    return f"{metro}/{fence}/{site}/{kind.value}{words}"


def memory_document(memory: Memory) -> dict[str, Any]:
    """The document that `parse_memory` reads."""
    return {
        "v": MEMORY_VERSION,
        "id": memory.id,
        "kind": memory.kind.value,
        "at_ms": memory.at_ms,
        "site": memory.site,
        "text": memory.text[:LONG_TEXT_LIMIT],
        "fence": memory.fence,
        "by": memory.by,
    }


def parse_memory(document: object) -> Memory:
    """DocumentInvalid names the first field that is wrong. A kind that only a newer version knows is a note here."""
    fields = Fields(document, "memory")
    if fields.count("v") < MEMORY_VERSION:
        raise DocumentInvalid(f"memory.v must be {MEMORY_VERSION} or newer")
    kind = fields.text("kind")
    return Memory(
        id=fields.text("id"),
        kind=MemoryKind(kind) if kind in list(MemoryKind) else MemoryKind.NOTE,
        at_ms=fields.count("at_ms"),
        site=fields.text("site"),
        text=fields.long_text("text"),
        fence=fields.text_or_none("fence"),
        by=fields.text_or_none("by") or "" if fields.anything("by") else "",
    )


def best_memories(memories: Iterable[Memory], wanted: Wanted) -> list[Memory]:
    """Those that fit, each id once: by the share of the text's terms that they hold, then the newest first.

    Plain matching of whole words, whatever their case: what is said in other words is not found.
    """
    fitting = {memory.id: memory for memory in memories if fits(memory, wanted)}
    terms = frozenset(_TERM.findall(wanted.text.lower()))
    scores = {key: _share(terms, memory) for key, memory in fitting.items()}
    found = [memory for key, memory in fitting.items() if scores[key] > 0.0]
    found.sort(key=lambda memory: (-scores[memory.id], -memory.at_ms, memory.id))
    return found[: wanted.limit]


def fits(memory: Memory, wanted: Wanted) -> bool:
    """Whether its kind, site and time are those that are wanted; its text is another matter."""
    return (
        (wanted.kind is None or memory.kind is wanted.kind)
        and (wanted.site is None or memory.site == wanted.site)
        and memory.at_ms >= wanted.since_ms
        and (wanted.until_ms is None or memory.at_ms < wanted.until_ms)
    )


def _share(terms: frozenset[str], memory: Memory) -> float:
    if not terms:
        return 1.0
    words = set(_TERM.findall(f"{memory.text} {memory.site} {memory.kind.value} {memory.fence or ''}".lower()))
    return len(terms & words) / len(terms)
