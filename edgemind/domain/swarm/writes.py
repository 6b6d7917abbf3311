"""The conditional writes: what each requires of the stored state, and what it makes of it.

Every store evaluates these, a database in its own language. Each condition has a name, so that tests can take one away
and show what goes wrong without it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeAlias

from edgemind.domain.swarm.records import Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState


@dataclass(frozen=True, slots=True)
class OpenRound:
    """Begin a round after the one before it is decided. `nonce` is this write's alone."""

    fence: Fence
    candidates: tuple[Candidate, ...]
    roster: tuple[str, ...]
    quorum: int
    nonce: str

    conditions: ClassVar[Mapping[str, Callable[["OpenRound", CurrentRound], bool]]] = {
        "epoch": lambda write, now: now.fence.epoch == write.fence.epoch,
        "round": lambda write, now: now.fence.round == write.fence.round - 1,
        "decided": lambda _, now: not now.open,
    }

    def opened(self) -> CurrentRound:
        return CurrentRound(self.fence, RoundState.OPEN, self.candidates, self.roster, self.quorum, self.nonce)

    def applied(self, _now: CurrentRound) -> CurrentRound:
        return self.opened()

    def is_in(self, now: CurrentRound) -> bool:
        """Whether this very write made `now`: then a refusal only says that it was sent twice."""
        return now.fence == self.fence and now.nonce == self.nonce


@dataclass(frozen=True, slots=True)
class Decide:
    fence: Fence
    outcome: Outcome
    voters: tuple[str, ...]
    nonce: str

    conditions: ClassVar[Mapping[str, Callable[["Decide", CurrentRound], bool]]] = {
        "epoch": lambda write, now: now.fence.epoch == write.fence.epoch,
        "round": lambda write, now: now.fence.round == write.fence.round,
        "open": lambda _, now: now.open,
    }

    def applied(self, now: CurrentRound) -> CurrentRound:
        return replace(
            now, state=RoundState.DECIDED, outcome=self.outcome, voters=self.voters, decision_nonce=self.nonce
        )

    def is_in(self, now: CurrentRound) -> bool:
        return now.fence == self.fence and now.decision_nonce == self.nonce


@dataclass(frozen=True, slots=True)
class Claim:
    """`incarnation` (of the controller at `site`) alone may do the site's effect of this round."""

    fence: Fence
    site: str
    incarnation: int

    conditions: ClassVar[Mapping[str, Callable[["Claim", CurrentRound], bool]]] = {
        "epoch": lambda write, now: now.fence.epoch == write.fence.epoch,
        "round": lambda write, now: now.fence.round == write.fence.round,
        "decided": lambda _, now: not now.open,
        "unclaimed": lambda write, now: write.site not in now.claims,
    }

    def applied(self, now: CurrentRound) -> CurrentRound:
        return replace(now, claims={**now.claims, self.site: self.incarnation})

    def is_in(self, now: CurrentRound) -> bool:
        return now.fence == self.fence and now.claims.get(self.site) == self.incarnation


@dataclass(frozen=True, slots=True)
class PutBallot:
    """The only condition is on another item: that there is no ballot of this site in this round yet."""

    ballot: Ballot

    conditions: ClassVar[Mapping[str, Callable[["PutBallot", Ballot | None], bool]]] = {
        "absent": lambda _, held: held is None,
    }


@dataclass(frozen=True, slots=True)
class Genesis:
    """Provisioning: a round that nobody opened, decided, so that the first one can open. Absent only: never a reset.

    After a restore of the table, or a fail-over to another region, the same in a higher epoch.
    """

    fence: Fence = field(default_factory=lambda: Fence(1, 0))

    conditions: ClassVar[Mapping[str, Callable[["Genesis", CurrentRound | None], bool]]] = {
        "absent": lambda _, now: now is None,
    }

    def applied(self) -> CurrentRound:
        return CurrentRound(self.fence, RoundState.DECIDED)


CurrentWrite: TypeAlias = OpenRound | Decide | Claim
"""The writes on the current round's item."""
