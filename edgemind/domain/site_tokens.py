"""The tokens by which the processes of one fleet know one another, through a rotation of the fleet's secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

SITE_TOKEN_HEADER = "x-edgemind-site-token"


@dataclass(frozen=True, slots=True)
class SiteTokens:
    """`current` is sent and accepted, `previous` only accepted. Without a current one nobody is of the fleet."""

    current: str | None = field(default=None, repr=False)
    previous: Sequence[str] = field(default=(), repr=False)

    def accept(self, token: bytes) -> bool:
        """Whether it is one of them. All are compared, so that the time taken does not tell which was nearly right."""
        if not self.current:
            return False
        matches = [compare_digest(token, known.encode()) for known in (self.current, *self.previous)]
        return any(matches)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The current one first; empty without one."""
        return (self.current, *self.previous) if self.current else ()
