"""One site's part in the swarm: coordinator, deputy, voter and executor behind one `step`."""

from collections import deque
from collections.abc import Iterable
from itertools import count

from edgemind.domain.swarm.executor import Executor
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.pace import Pace
from edgemind.domain.swarm.participant import Participant
from edgemind.domain.swarm.protocol import (
    Answered,
    Breached,
    Conclusion,
    Effect,
    Event,
    Found,
    Learned,
    Membership,
    Ranked,
    ReadCurrent,
    Received,
    Request,
    Send,
    Started,
    Tick,
)  # fmt: skip
from edgemind.domain.swarm.records import KEEP, Candidate, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.repetition import StoreCalls
from edgemind.domain.swarm.round import Coordinator, Phase, Task, deputies
from edgemind.domain.swarm.writes import Claim, Decide, OpenRound, PutBallot


class SwarmMember:
    """`effects = member.step(event, now_ms)`, then a `Tick` when `wake_ms` has come.

    `now_ms` is this process's monotonic clock: no two sites' clocks are ever compared. `incarnation` must be higher
    with each start of the site: nonces and claims are told apart by it.
    """

    def __init__(self, site: str, incarnation: int, pace: Pace, known: Fence) -> None:
        self._site = site
        self._pace = pace
        self._calls = StoreCalls(pace)
        self._participant = Participant(site, self._calls)
        self._executor = Executor(site, incarnation, self._calls)
        self._coordinator: Coordinator | None = None
        self._known = known
        """The newest round whose outcome is known here."""
        self._outcome: Outcome | None = None
        self._membership = Membership((site,))
        self._watched: tuple[Task, float] | None = None
        """The round that this site takes over at a time, unless it is decided before."""
        self._nonces = (f"{site}/{incarnation}/{number}" for number in count(1))

    @property
    def known(self) -> Fence:
        return self._known

    @property
    def newest(self) -> Announce | None:
        """The newest outcome known here, for beacons to carry: who missed an announcement hears of it so."""
        return Announce(self._site, self._known, self._outcome) if self._outcome is not None else None

    @property
    def wake_ms(self) -> float | None:
        times = (
            self._calls.wake_ms,
            self._coordinator.wake_ms if self._coordinator is not None else None,
            self._watched[1] if self._watched is not None else None,
        )
        return min((ms for ms in times if ms is not None), default=None)

    def step(self, event: Event, now_ms: float) -> list[Effect]:
        """What follows from an event; what a site tells itself is handled here, and a known outcome told once."""
        effects: list[Effect] = []
        todo = deque(self._react(event, now_ms))
        while todo:
            effect = todo.popleft()
            if isinstance(effect, Learned):
                # Announcements come before this site's own part: that may take long, or stop the process.
                todo.extend(self._learn(effect.fence, effect.outcome, now_ms, effects))
            elif isinstance(effect, Send) and effect.to == self._site:
                todo.extend(self._receive(effect.message, now_ms))
            else:
                effects.append(effect)
        return effects

    def validate(self) -> None:
        """AssertionError if what must always hold does not."""
        coordinator, watched = self._coordinator, self._watched
        assert watched is None or watched[0].fence > self._known, "a decided round is watched"
        if coordinator is not None and coordinator.phase is not Phase.OVER:
            assert coordinator.fence > self._known, "a decided round is coordinated"

    def _react(self, event: Event, now_ms: float) -> list[Effect]:
        match event:
            case Tick():
                return self._tick(now_ms)
            case Answered():
                concluded = self._calls.answered(event, now_ms)
                # An answer that settles nothing may have made a copy due.
                return self._conclude(*concluded, now_ms) if concluded else [*self._calls.tick(now_ms)]
            case Received(message):
                return self._receive(message, now_ms)
            case Ranked():
                return self._participant.ranked(event, now_ms)
            case Breached(candidates):
                return self._breached(candidates, now_ms)
            case Membership():
                self._membership = event
                if self._coordinator is not None:
                    self._coordinator.suspected = event.suspected
                return []
            case Started():
                return [self._calls.start(ReadCurrent(), now_ms)]

    def _tick(self, now_ms: float) -> list[Effect]:
        effects: list[Effect] = [*self._calls.tick(now_ms)]
        if self._coordinator is not None:
            effects += self._coordinator.tick(now_ms)
        if self._watched is not None and self._watched[1] <= now_ms:
            task, self._watched = self._watched[0], None
            if not self._busy:
                effects += self._coordinate(task, now_ms)
        return effects

    # Coordinating

    @property
    def _busy(self) -> bool:
        return self._coordinator is not None and self._coordinator.phase is not Phase.OVER

    def _breached(self, candidates: Iterable[Candidate], now_ms: float) -> list[Effect]:
        """While a round is under way a breach waits: if it lasts, it will be confirmed again."""
        roster = self._membership.roster
        if self._busy or self._watched is not None or self._site not in roster:
            return []
        ballot_paper = tuple(dict.fromkeys((*candidates, KEEP)))
        return self._coordinate(Task(self._known.next, ballot_paper, roster, now_ms, opener=True), now_ms)

    def _coordinate(self, task: Task, now_ms: float) -> list[Effect]:
        nonces = self._nonces
        coordinator = Coordinator(self._site, task, self._calls, self._pace.timers(), lambda: next(nonces))
        coordinator.suspected = self._membership.suspected
        self._coordinator = coordinator
        return coordinator.begin(now_ms)

    def _watch(
        self, fence: Fence, candidates: tuple[Candidate, ...], by: tuple[str, tuple[str, ...]], now_ms: float
    ) -> None:
        """Become a deputy of the sender in `by`, in the order of its roster."""
        sender, roster = by
        waiting = self._watched is not None and self._watched[0].fence >= fence
        if fence <= self._known or waiting or self._site not in roster or sender == self._site:
            return
        timers = self._pace.timers()
        present = [site for site in deputies(roster, sender) if site not in self._membership.suspected]
        place = present.index(self._site) if self._site in present else len(present)
        due_ms = now_ms + timers.takeover + place * timers.takeover_step
        self._watched = Task(fence, candidates, roster, now_ms, opener=False), due_ms

    # What others tell

    def _receive(self, message: Message, now_ms: float) -> list[Effect]:
        match message:
            case Wake(sender, fence, candidates, roster):
                self._see(fence, sender)
                self._watch(fence, candidates, (sender, roster), now_ms)
                return []
            case Hint():
                return self._hinted(message, now_ms)
            case Acknowledge(ballot=ballot):
                return self._coordinator.acknowledged(ballot, now_ms) if self._coordinator is not None else []
            case Announce(fence=fence, outcome=outcome):
                return [Learned(fence, outcome)]

    def _hinted(self, hint: Hint, now_ms: float) -> list[Effect]:
        round_ = hint.round
        if round_.fence <= self._known:
            # Decided already: whoever still asks gets the answer, if it is the one known here.
            if round_.fence != self._known or self._outcome is None or hint.sender == self._site:
                return []
            return [Send(hint.sender, Announce(self._site, self._known, self._outcome))]
        self._see(round_.fence, hint.sender)
        self._watch(round_.fence, round_.candidates, (hint.sender, round_.roster), now_ms)
        return self._participant.hinted(hint)

    def _see(self, fence: Fence, sender: str) -> None:
        if self._coordinator is not None and sender != self._site and fence >= self._coordinator.fence:
            self._coordinator.overtaken = True

    # What the store tells

    def _conclude(self, request: Request, conclusion: Conclusion, now_ms: float) -> list[Effect]:
        match request:
            case PutBallot():
                return self._participant.stored(request, conclusion)
            case Claim():
                return self._executor.claimed(request, conclusion)
            case ReadCurrent():
                current = conclusion.current if isinstance(conclusion, Found) else None
                return self._found(current, now_ms) if current is not None else []
            case OpenRound() | Decide() | _:
                return self._coordinator.concluded(request, conclusion, now_ms) if self._coordinator else []

    def _found(self, current: CurrentRound, now_ms: float) -> list[Effect]:
        """Where the metro stands, at the start of this process."""
        if current.outcome is not None:
            return [Learned(current.fence, current.outcome)]
        if current.open:
            first = deputies(current.roster, self._site)[:1]
            self._watch(current.fence, current.candidates, (first[0] if first else "", current.roster), now_ms)
        elif current.fence > self._known:
            self._known = current.fence
        return []

    def _learn(self, fence: Fence, outcome: Outcome, now_ms: float, effects: list[Effect]) -> list[Effect]:
        """Take note of an outcome, once; what follows from it here."""
        if fence <= self._known:
            return []
        self._known, self._outcome = fence, outcome
        if self._coordinator is not None:
            self._coordinator.learned(fence)
        if self._watched is not None and self._watched[0].fence <= fence:
            self._watched = None
        self._participant.learned(fence)
        effects.append(Learned(fence, outcome))
        return self._executor.learned(fence, outcome, now_ms)
