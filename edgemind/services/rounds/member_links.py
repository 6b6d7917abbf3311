"""How a swarm member reaches what is outside it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.records import Candidate, Fence, Outcome
from edgemind.domain.swarm.votes import View, Vote
from edgemind.ports.voter import Voter


class RoundObserver(Protocol):
    """Sees everything and decides nothing."""

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None: ...

    def voted(self, vote: Vote) -> None: ...


class Effects(Protocol):
    """What a decision does at this site."""

    def learned(self, fence: Fence, outcome: Outcome) -> None:
        """A round's outcome, whosever it is: once, at every site."""

    async def execute(self, fence: Fence, outcome: Outcome) -> None:
        """This site's own part of it, behind the fence."""

    def breach_over(self, model: str) -> None:
        """This site's breach of the model has ended."""


@dataclass(frozen=True, slots=True)
class MemberLinks:
    """`tell` raises TemporaryError or PermanentError if the site was not reached, or refused.

    `view` is what this site knows of the loads that these candidates are about, and of its last change.
    """

    tell: Callable[[str, Message], Awaitable[None]]
    voter: Voter
    view: Callable[[Sequence[Candidate], float | None], View]
    effects: Effects
    observer: RoundObserver
