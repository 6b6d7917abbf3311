"""A proposed change of policy, what a replay said of it, and what a metro keeps of both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

KEPT = 50
"""Changes that a metro remembers, the newest; the audit journal has all of them."""
PENDING_LIMIT = 5
"""Proposals that may wait for an operator."""


class ChangeState(StrEnum):
    """PROPOSED waits for an operator. REJECTED: by the replay or an operator. The last three are ends."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Move:
    """One setting from one value to another."""

    path: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a replay of recent rounds says. `numbers` are what it measured; `rounds` were judged."""

    harmless: bool
    reason: str
    rounds: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """`based_on` is the version of the metro's advice that it was made from. Times are wall time in milliseconds.

    `expires_ms`: until then it waits, and once it is accepted it is in force, for `for_s` from that moment.
    `decided_by` is `replay` or a role; `ended_ms` is when an operator took it back.
    """

    number: int
    based_on: int
    moves: tuple[Move, ...]
    reason: str
    proposed_by: str
    created_ms: int
    for_s: int
    expires_ms: int
    verdict: Verdict
    state: ChangeState = ChangeState.PROPOSED
    decided_by: str | None = None
    decided_ms: int | None = None
    ended_ms: int | None = None

    @property
    def id(self) -> str:
        return f"adv-{self.number}"

    @property
    def values(self) -> dict[str, float]:
        return {move.path: move.after for move in self.moves}

    def state_at(self, now_ms: int) -> ChangeState:
        """What was open or in force ends by itself: nobody has to write that down."""
        open_ = self.state in (ChangeState.PROPOSED, ChangeState.ACCEPTED)
        return ChangeState.EXPIRED if open_ and now_ms >= self.expires_ms else self.state


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """What controllers follow. `change` is accepted; it may have expired, and is not followed while `paused`."""

    version: int = 0
    paused: bool = False
    change: PolicyChange | None = None

    def at(self, now_ms: int) -> PolicyChange | None:
        """The change to follow at this moment."""
        change = self.change
        if self.paused or change is None or change.state_at(now_ms) is not ChangeState.ACCEPTED:
            return None
        return change


@dataclass(frozen=True, slots=True)
class AdviceBook:
    """All that a metro keeps of advice, the newest change first; every write of it raises `version` by one."""

    version: int = 0
    paused: bool = False
    last_number: int = 0
    changes: tuple[PolicyChange, ...] = ()

    @property
    def policy(self) -> PolicyInForce:
        accepted = next((one for one in self.changes if one.state is ChangeState.ACCEPTED), None)
        return PolicyInForce(self.version, self.paused, accepted)

    def find(self, change_id: str) -> PolicyChange | None:
        return next((one for one in self.changes if one.id == change_id), None)


@dataclass(frozen=True, slots=True)
class WriteBook:
    """Put `book` in place of the version before it."""

    book: AdviceBook

    def follows(self, held: AdviceBook) -> bool:
        return self.book.version == held.version + 1
