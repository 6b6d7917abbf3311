"""A coordinator's way through one round: open or join it, collect ballots, decide, announce.

Any number of coordinators may work on a round at once. That they decide one thing is the store's doing
(`writes.py`); all that happens here is about being quick and never being stuck.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from edgemind.domain.swarm.ballots import admissible, quorum, settled, winner
from edgemind.domain.swarm.messages import Announce, Hint, Wake
from edgemind.domain.swarm.pace import Timers
from edgemind.domain.swarm.protocol import (
    Applied,
    Conclusion,
    Effect,
    Ended,
    Found,
    Learned,
    ReadBallots,
    Refused,
    Request,
    Send,
)  # fmt: skip
from edgemind.domain.swarm.records import KEEP, Ballot, Candidate, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.repetition import StoreCalls
from edgemind.domain.swarm.writes import Decide, OpenRound

DEPUTIES_WOKEN = 4
"""Whom an opener tells before it opens; everybody else becomes a deputy with the first hint."""


class Phase(Enum):
    OPENING = auto()
    COLLECTING = auto()
    DECIDING = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Task:
    """The round to see through. `heard_ms`: when this site heard of the breach. `opener`: the breach is its own."""

    fence: Fence
    candidates: tuple[Candidate, ...]
    roster: tuple[str, ...]
    heard_ms: float
    opener: bool


def deputies(roster: tuple[str, ...], of: str) -> list[str]:
    """Everybody else, in the order in which they take over from `of`: each site has other first deputies."""
    later = [site for site in sorted(roster) if site > of]
    return later + [site for site in sorted(roster) if site < of]


class Coordinator:
    """`nonce` gives names that no other write ever had. `suspected` is kept up to date by the owner."""

    def __init__(self, me: str, task: Task, calls: StoreCalls, timers: Timers, nonce: Callable[[], str]) -> None:
        self._me = me
        self._task = task
        self._calls = calls
        self._timers = timers
        self._nonce = nonce
        self._pending: Request | None = None
        self._recovering: ReadBallots | None = None
        self._round: CurrentRound | None = None
        self._ballots: dict[str, Ballot] = {}
        self._rehint_ms = 0.0
        self._recover_ms = 0.0
        self._hard_ms = 0.0
        self.phase = Phase.OPENING
        self.suspected: frozenset[str] = frozenset()
        self.overtaken = False
        """Whether somebody else's round of this number was seen since this one began."""

    @property
    def fence(self) -> Fence:
        return self._task.fence

    @property
    def wake_ms(self) -> float | None:
        if self.phase is Phase.OVER:
            return None
        give_up_ms = self._task.heard_ms + self._timers.give_up
        if self.phase is not Phase.COLLECTING:
            return give_up_ms
        soft_ms = self._soft_ms if len(self._ballots) >= self._current.quorum else give_up_ms
        return min(self._rehint_ms, self._recover_ms, soft_ms, max(self._hard_ms, self._soft_ms), give_up_ms)

    def begin(self, now_ms: float) -> list[Effect]:
        """Open at once: if somebody else has, the refusal tells what a read would have, one call sooner."""
        task = self._task
        write = OpenRound(task.fence, task.candidates, task.roster, quorum(len(task.roster)), self._nonce())
        self.phase, self._pending = Phase.OPENING, write
        wake = Wake(self._me, task.fence, task.candidates, task.roster)
        # Before the opening: whoever dies right after it has been heard.
        present = [site for site in deputies(task.roster, self._me) if site not in self.suspected]
        woken = present[:DEPUTIES_WOKEN] if task.opener else []
        return [*(Send(site, wake) for site in woken), self._calls.start(write, now_ms)]

    def concluded(self, request: Request, conclusion: Conclusion, now_ms: float) -> list[Effect]:
        """The outcome of a store call; of somebody else's call nothing follows."""
        if request is self._recovering and isinstance(conclusion, Found):
            self._recovering = None
            for ballot in conclusion.ballots:
                self._count(ballot)
            return self._check(now_ms)
        if request is not self._pending:
            return []
        self._pending = None
        if isinstance(request, OpenRound):
            return self._opened(request, conclusion, now_ms)
        if isinstance(request, Decide):
            return self._decided(request, conclusion, now_ms)
        return []

    def acknowledged(self, ballot: Ballot, now_ms: float) -> list[Effect]:
        self._count(ballot)
        return self._check(now_ms)

    def learned(self, fence: Fence) -> None:
        """Somebody else told the outcome of `fence`: this round, or a later one, is over."""
        if fence >= self.fence:
            self._end()

    def tick(self, now_ms: float) -> list[Effect]:
        if self.phase is Phase.OVER:
            return []
        if now_ms >= self._task.heard_ms + self._timers.give_up:
            return self._stop("it could not be finished in time: the store or a quorum is out of reach")
        if self.phase is not Phase.COLLECTING:
            return []
        effects: list[Effect] = []
        if now_ms >= self._rehint_ms:
            self._rehint_ms = now_ms + self._timers.rehint
            effects += self._hints()
        if now_ms >= self._recover_ms:
            self._recover_ms = now_ms + self._timers.recover
            if len(self._ballots) < self._current.quorum:
                effects += self._recover(now_ms)
        return effects + self._check(now_ms)

    # Opening

    def _opened(self, write: OpenRound, conclusion: Conclusion, now_ms: float) -> list[Effect]:
        if isinstance(conclusion, Applied):
            return self._collect(write.opened(), now_ms, joined=False)
        held = conclusion.held if isinstance(conclusion, Refused) else None
        if not isinstance(held, CurrentRound):
            return self._stop("the store answered an opening with something else")
        if held.open:
            return self._collect(held, now_ms, joined=not write.is_in(held))
        if held.fence < self.fence:
            return self._stop(
                f"the store is at {held.fence}, behind what was known: it was restored without a new epoch"
            )
        stale = self._task.opener and not self.overtaken and not write.is_in(held)
        if held.outcome is None or stale:
            # What is decided there was decided before this breach; this site had only not heard of it.
            task = self._task
            self._task = Task(held.fence.next, task.candidates, task.roster, task.heard_ms, task.opener)
            return self.begin(now_ms)
        return self._know(held.fence, held.outcome, held.roster, now_ms)

    # Collecting

    @property
    def _current(self) -> CurrentRound:
        assert self._round is not None, "no round is open here"
        return self._round

    @property
    def _soft_ms(self) -> float:
        return self._task.heard_ms + self._timers.soft

    def _collect(self, round_: CurrentRound, now_ms: float, *, joined: bool) -> list[Effect]:
        self.phase, self._round, self._ballots = Phase.COLLECTING, round_, {}
        self._rehint_ms = now_ms + self._timers.rehint
        self._recover_ms = now_ms + self._timers.recover
        self._hard_ms = max(self._task.heard_ms + self._timers.hard, now_ms + self._timers.chance)
        # Who joins hints again: its predecessor may have died before or amid its hints.
        return self._hints() + (self._recover(now_ms) if joined else [])

    def _hints(self) -> list[Effect]:
        hint = Hint(self._me, self._current)
        return [Send(site, hint) for site in self._current.roster if site not in self._ballots]

    def _recover(self, now_ms: float) -> list[Effect]:
        if self._recovering is not None:
            return []
        self._recovering = ReadBallots(self._current.fence)
        return [self._calls.start(self._recovering, now_ms)]

    def _count(self, ballot: Ballot) -> None:
        if self.phase is Phase.COLLECTING and admissible(ballot, self._current):
            self._ballots.setdefault(ballot.site, ballot)

    def _check(self, now_ms: float) -> list[Effect]:
        """Decide, if it is time."""
        if self.phase is not Phase.COLLECTING:
            return []
        round_, ballots = self._current, self._ballots
        if len(ballots) >= round_.quorum:
            missing = [site for site in round_.roster if site not in ballots]
            if (
                now_ms >= self._soft_ms
                or self.suspected.issuperset(missing)
                or settled(round_.candidates, ballots.values(), len(missing))
            ):
                return self._decide(Outcome(winner(round_.candidates, ballots.values())), now_ms)
        elif now_ms >= self._hard_ms:
            # Without this a round hangs for as long as its voters are silent, and every later one with it.
            return self._decide(Outcome(KEEP, timed_out=True), now_ms)
        return []

    # Deciding

    def _decide(self, outcome: Outcome, now_ms: float) -> list[Effect]:
        self.phase = Phase.DECIDING
        voters = tuple(sorted(self._ballots))
        self._calls.forget(self._recovering)
        self._recovering = None
        self._pending = write = Decide(self._current.fence, outcome, voters, self._nonce())
        return [self._calls.start(write, now_ms)]

    def _decided(self, write: Decide, conclusion: Conclusion, now_ms: float) -> list[Effect]:
        round_ = self._current
        if isinstance(conclusion, Applied):
            return self._know(round_.fence, write.outcome, round_.roster, now_ms)
        held = conclusion.held if isinstance(conclusion, Refused) else None
        if isinstance(held, CurrentRound) and held.fence == round_.fence and held.outcome is not None:
            return self._know(held.fence, held.outcome, round_.roster, now_ms)
        return self._stop("the metro has gone on to a later round; what this one decided is known to others")

    def _know(self, fence: Fence, outcome: Outcome, roster: tuple[str, ...], now_ms: float) -> list[Effect]:
        """Only what the store is known to hold is announced: what was merely decided on may yet lose."""
        announce = Announce(self._me, fence, outcome)
        known: list[Effect] = [Learned(fence, outcome)]
        known += [Send(site, announce) for site in roster if site != self._me]
        if fence < self.fence:
            return known + self.begin(now_ms)
        self._end()
        return known

    def _stop(self, why: str) -> list[Effect]:
        fence = self.fence
        self._end()
        return [Ended(fence, why)]

    def _end(self) -> None:
        self.phase = Phase.OVER
        self._calls.forget(self._pending)
        self._calls.forget(self._recovering)
        self._pending = self._recovering = None
