"""What somebody asks a site to remember or to log, beside what it remembers of rounds by itself."""

from collections.abc import Callable
from dataclasses import dataclass

from edgemind.domain.agent_memory import Memory, MemoryKind, identity_of
from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.errors import PermanentError
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock
from edgemind.services.keep_memories import MemoryKeeper

OF_A_ROUND = frozenset({MemoryKind.ACTIVATION, MemoryKind.OUTCOME, MemoryKind.EFFECT})
"""What is told of the same round twice, by whomever, is remembered once."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """`new` is false if it was told before. It is kept a moment later, at `kept`, as `id`."""

    id: str
    site: str
    kept: str
    new: bool


@dataclass(frozen=True, slots=True)
class Logged:
    """It is in the audit journal of `site` as an admin action at `at_ms` (wall time)."""

    site: str
    at_ms: int


class NoteTaker:
    """`audit` is asked for at each entry, and may tell that this controller keeps none. `by` is the caller's name."""

    def __init__(
        self,
        site: str,
        metro: str,
        keeper: MemoryKeeper,
        audit: Callable[[], AuditJournal | None],
        clock: Clock,
    ) -> None:
        self._site = site
        self._metro = metro
        self._keeper = keeper
        self._audit = audit
        self._clock = clock
        self._taken = 0

    def remember(self, text: str, kind: MemoryKind, fence: str | None, by: str) -> Remembered:
        """PermanentError for what only AgentCore learns, and for a round's part without its round."""
        if kind is MemoryKind.LEARNED:
            raise PermanentError("what is learned comes from AgentCore's strategies: remember it as a note")
        if kind in OF_A_ROUND and fence is None:
            raise PermanentError(f"an {kind.value} belongs to a round: say which one with fence")
        at_ms = self._clock.wall_ms()
        memory = Memory(self._identity(kind, fence, text, at_ms), kind, at_ms, self._site, text, fence, by)
        new = self._keeper.remember(memory)
        return Remembered(memory.id, self._site, self._keeper.status.kept_at, new)

    def log(self, event: str, fence: str | None, by: str) -> Logged:
        """PermanentError where no audit journal is kept."""
        journal = self._audit()
        if journal is None:
            raise PermanentError(f"the controller of {self._site} keeps no audit journal to log to")
        at_ms = self._clock.wall_ms()
        body = {"action": "log_event", "by": by, "event": event, "fence": fence}
        journal.record(AuditEntry(EntryKind.ADMIN_ACTION, at_ms, self._site, body))
        return Logged(self._site, at_ms)

    def _identity(self, kind: MemoryKind, fence: str | None, text: str, at_ms: int) -> str:
        if kind in OF_A_ROUND and fence is not None:
            return identity_of(self._metro, fence, self._site, kind, text)
        self._taken += 1
        return f"{self._metro}/{self._site}/{kind.value}/{at_ms}-{self._taken}"
