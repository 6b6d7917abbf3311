"""What sites tell each other about a round. Any of it may be lost, late or doubled: it only makes a round fast."""

from dataclasses import dataclass
from typing import TypeAlias

from edgemind.domain.swarm.records import Ballot, Candidate, CurrentRound, Fence, Outcome


@dataclass(frozen=True, slots=True)
class Wake:
    """To the deputies, before the round opens: see to it that this round happens, even if I die now."""

    sender: str
    fence: Fence
    candidates: tuple[Candidate, ...]
    roster: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """This round is open: vote, and acknowledge to me."""

    sender: str
    round: CurrentRound


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """My ballot, as it stands in the store."""

    sender: str
    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Announce:
    """What was decided, as it stands in the store."""

    sender: str
    fence: Fence
    outcome: Outcome


Message: TypeAlias = Wake | Hint | Acknowledge | Announce
