"""Events that a member is given, and effects that it asks for. Whoever runs it carries out effects in their order."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.records import Ballot, Candidate, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.roster import Roster
from edgemind.domain.swarm.writes import Claim, Decide, OpenRound, PutBallot

# What the store is asked, and what came of it


@dataclass(frozen=True, slots=True)
class ReadCurrent:
    pass


@dataclass(frozen=True, slots=True)
class ReadBallots:
    fence: Fence


Request: TypeAlias = OpenRound | PutBallot | Decide | Claim | ReadBallots | ReadCurrent


@dataclass(frozen=True, slots=True)
class Applied:
    """The write took effect."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition failed: `held` is the item as it is."""

    held: CurrentRound | Ballot | Roster


@dataclass(frozen=True, slots=True)
class Found:
    """What a read brought: the current round, or the ballots of one."""

    current: CurrentRound | None = None
    ballots: tuple[Ballot, ...] = ()


class Trouble(Enum):
    """UNKNOWN: a time-out or a server's error; it may have been applied, or yet be. THROTTLED: it was not."""

    UNKNOWN = auto()
    THROTTLED = auto()


Conclusion: TypeAlias = Applied | Refused | Found
Answer: TypeAlias = Conclusion | Trouble


# Events


@dataclass(frozen=True, slots=True)
class Started:
    """The controller is up: learn where the metro stands."""


@dataclass(frozen=True, slots=True)
class Breached:
    """This site confirmed a breach and proposes what to do. Only the first of a round matters."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """Who belongs to the metro (takes effect at the next opening), and whom it is no use waiting for."""

    roster: tuple[str, ...]
    suspected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Received:
    message: Message


@dataclass(frozen=True, slots=True)
class Ranked:
    """The voter's answer to AskVoter."""

    fence: Fence
    ranking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one copy of a StoreCall."""

    call: int
    copy: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Tick:
    """The time that a member asked for (`wake_ms`) has come."""


Event: TypeAlias = Started | Breached | Membership | Received | Ranked | Answered | Tick


# Effects


@dataclass(frozen=True, slots=True)
class Send:
    to: str
    message: Message


@dataclass(frozen=True, slots=True)
class StoreCall:
    """Ask the store exactly once, with a time limit; `copy` 2, 3, ... are the same request again."""

    call: int
    copy: int
    request: Request


@dataclass(frozen=True, slots=True)
class AskVoter:
    fence: Fence
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """The outcome of a round is known here for the first time."""

    fence: Fence
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Execute:
    """Make it so, unless the resource has seen a higher fence: it must check that itself, a process may be paused."""

    fence: Fence
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ended:
    """A round of which this site was coordinator ended without an outcome known here; `why` is for the log."""

    fence: Fence
    why: str


Effect: TypeAlias = Send | StoreCall | AskVoter | Learned | Execute | Ended
