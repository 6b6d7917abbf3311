"""No memory: what is told is let go, and nothing is recalled."""

from edgemind.domain.agent_memory import Memory, Recollection, Wanted

KEPT = "nowhere: memory.kind is off"


class NoMemory:
    """`AgentMemory` where none is wanted."""

    kept = KEPT

    def remember(self, memory: Memory) -> None:
        """Let it go."""

    def recall(self, wanted: Wanted) -> Recollection:
        return Recollection([], KEPT, "nothing")
