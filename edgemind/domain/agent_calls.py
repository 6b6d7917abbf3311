"""Calls of tools that agents made, as the stream of them shows: who called what, with what, and what came of it."""

from dataclasses import dataclass, field

TEXT_LIMIT = 1000
"""Characters of arguments and of a result that are shown; what is longer ends with CUT."""
CUT = " ..."


@dataclass(frozen=True, slots=True)
class AgentCall:
    """`arguments` and `result` are JSON text, cut at TEXT_LIMIT. `failed` holds the cause, if it did; then there is no
    result. `fence` is the round that it was made for. `at_ms` is wall time when it ended; `id` is unique in the fleet.
    """

    id: str
    at_ms: int
    site: str
    role: str
    tool: str
    arguments: str
    took_ms: float
    result: str | None = None
    failed: str | None = None
    fence: str | None = None


@dataclass(frozen=True, slots=True)
class AgentCallPage:
    """Newest first. `next_cursor` asks for older ones; null at the end. `unreachable` sites told nothing."""

    calls: list[AgentCall]
    next_cursor: str | None = None
    unreachable: list[str] = field(default_factory=list)


def shortened(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - len(CUT)] + CUT
