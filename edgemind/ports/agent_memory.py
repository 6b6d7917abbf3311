"""Where a metro's agents keep what happened, for weeks rather than rounds: nothing of a round depends on it."""

from typing import Protocol

from edgemind.domain.agent_memory import Memory, Recollection, Wanted


class AgentMemory(Protocol):
    """Both methods block, and come from threads. Both raise StoreUnavailable if it cannot be had just now, and
    PermanentError if a person has to act."""

    @property
    def kept(self) -> str:
        """Where, in words: "local: <folder>, on this machine only"."""

    def remember(self, memory: Memory) -> None:
        """Once for each id, or so that the same id is recalled once."""

    def recall(self, wanted: Wanted) -> Recollection:
        """At most `wanted.limit`. What was remembered a moment ago may not be found yet."""
