"""Where alerts are told to people: a log, a web hook, a topic."""

from dataclasses import dataclass
from typing import Protocol

from edgemind.domain.alerts.engine import Notice


@dataclass(frozen=True, slots=True)
class ToldNotice:
    """A notice as it leaves: `by` is the site that tells it, `at_ms` wall time when it was decided.

    `key` is the same at every try, so that a receiver can tell a repetition.
    """

    notice: Notice
    metro: str
    by: str
    at_ms: int

    @property
    def key(self) -> str:
        return f"{self.metro}/{self.notice.alert.id}/{self.notice.change.value}/{self.notice.alert.level.value}"


class AlertSink(Protocol):
    """TemporaryError if a later try may succeed, PermanentError if the receiver refuses this for good."""

    async def tell(self, told: ToldNotice) -> None: ...

    async def close(self) -> None:
        """Let go of what is kept open; tries under way end."""
