"""Writes down what a member went through, from its events and effects alone: nothing of what they do depends on it."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from edgemind.domain.swarm.history import EffectReport, Heard, Known, RoundRecord
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.protocol import (
    Answered,
    AskVoter,
    Breached,
    Effect,
    Ended,
    Event,
    Execute,
    Learned,
    Membership,
    Received,
    Request,
    Send,
    StoreCall,
)
from edgemind.domain.swarm.recorded_calls import RecordedCalls, fence_of
from edgemind.domain.swarm.records import Fence, Outcome
from edgemind.domain.swarm.round_drafts import RoundDrafts
from edgemind.domain.swarm.votes import Vote
from edgemind.domain.swarm.writes import Decide, OpenRound


class RoundRecorder:
    """`keep` is given a record when its round is decided or over, and again whenever something is added to it.

    `wall_ms` tells wall time for people. `known` are records of before a restart, to which effects may still be added.
    """

    def __init__(
        self,
        site: str,
        metro: str,
        keep: Callable[[RoundRecord], None],
        wall_ms: Callable[[], int],
        known: Iterable[RoundRecord] = (),
    ) -> None:
        self._drafts = RoundDrafts(metro, site, keep, wall_ms, known)
        self._calls = RecordedCalls(site, self._drafts)
        self._site = site
        self._suspected: tuple[str, ...] = ()
        self._measured: Mapping[str, float] = {}

    def measured(self, values: Mapping[str, float]) -> None:
        """What this site saw of the breach that it is about to confirm, such as {"occupancy_ratio": 0.97}."""
        self._measured = values

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None:
        """One step of the member: the event it was given, and the effects that it asked for."""
        concluded: Request | None = None
        match event:
            case Membership():
                self._suspected = tuple(sorted(event.suspected))
            case Received(message):
                self._told(message, now_ms)
            case Answered():
                concluded = self._calls.answered(event, now_ms)
        for effect in effects:
            if isinstance(effect, StoreCall) and isinstance(effect.request, OpenRound) and effect.copy == 1:
                self._begin(effect.request, event, concluded, now_ms)
        for effect in effects:
            self._asked(effect, concluded, now_ms)
        self._drafts.hand_over()

    def voted(self, vote: Vote) -> None:
        """What this site's voter answered, with what it rests on."""
        draft = self._drafts.get(vote.fence)
        if draft is not None:
            draft.votes[vote.site] = vote
        self._drafts.hand_over()

    def effect(self, report: EffectReport) -> None:
        """What came of this site's part. To rounds older than those kept here nothing is added any more."""
        draft = self._drafts.get(report.fence)
        if draft is not None:
            draft.report(report)
        self._drafts.hand_over()

    def _begin(self, write: OpenRound, event: Event, concluded: Request | None, now_ms: float) -> None:
        """This site means to open a round: for a breach of its own, in another's place, or once more."""
        refused = self._drafts.get(concluded.fence) if isinstance(concluded, OpenRound) else None
        draft = self._drafts.get(write.fence)
        if draft is None and refused is not None and write.fence != refused.fence:
            draft = self._drafts.renumber(refused, write.fence)
        if draft is None:
            heard = Heard.BREACH if isinstance(event, Breached) else Heard.WAKE
            draft = self._drafts.begun(write.fence, heard, now_ms)
        if draft is None:
            return
        draft.proposed(write.candidates, write.roster)
        draft.suspected = self._suspected
        if isinstance(event, Breached):
            draft.breached, draft.measured = self._site, dict(self._measured)
            draft.step("breached", now_ms)
        elif draft.breached != self._site:
            draft.step("took over", now_ms)

    def _told(self, message: Message, now_ms: float) -> None:
        match message:
            case Wake(sender, fence, candidates, roster):
                draft = self._drafts.begun(fence, Heard.WAKE, now_ms)
                if draft is not None:
                    draft.breached = draft.breached or sender
                    draft.proposed(candidates, roster)
                    draft.step("woken", now_ms)
            case Hint(sender, round_):
                draft = self._drafts.begun(round_.fence, Heard.HINT, now_ms)
                if draft is not None:
                    draft.opened(round_)
                    draft.hinters.add(sender)
                    draft.step("hint received", now_ms)
            case Acknowledge(ballot=ballot):
                draft = self._drafts.get(ballot.fence)
                if draft is not None:
                    draft.know(ballot, Known.ACKNOWLEDGED, now_ms)
            case Announce(sender, fence, _):
                draft = self._drafts.get(fence)
                # Who only passes it on, as beacons do, is not the one who decided.
                if draft is not None and draft.coordinator is None and sender in draft.hinters:
                    draft.coordinator = sender

    def _asked(self, effect: Effect, concluded: Request | None, now_ms: float) -> None:
        match effect:
            case StoreCall():
                self._calls.sent(effect, now_ms)
            case Send(message=message):
                self._step(*_told_others(message), now_ms)
            case AskVoter(fence, _):
                self._step(fence, "asked to vote", now_ms)
            case Learned(fence, outcome):
                self._learned(fence, outcome, concluded, now_ms)
            case Execute(fence, _):
                self._step(fence, "executed", now_ms)
            case Ended(fence, why):
                draft = self._drafts.get(fence)
                if draft is not None:
                    draft.ended = why

    def _step(self, fence: Fence, name: str, now_ms: float) -> None:
        draft = self._drafts.get(fence)
        if draft is not None:
            draft.step(name, now_ms)

    def _learned(self, fence: Fence, outcome: Outcome, concluded: Request | None, now_ms: float) -> None:
        draft = self._drafts.begun(fence, Heard.OUTCOME, now_ms)
        self._drafts.learned(fence)
        if draft is None or draft.outcome is not None:
            return
        draft.outcome, draft.ended = outcome, None
        draft.learned_ms = draft.elapsed_ms(now_ms)
        # Only a coordinator that heard it from the store itself knows when it was decided.
        decided = isinstance(concluded, Decide) and fence_of(concluded) == fence
        draft.decided_ms = draft.learned_ms if decided else None
        draft.step("decided" if decided else "learned", now_ms)


def _told_others(message: Message) -> tuple[Fence, str]:
    """What a message to another site is, in the record of its round."""
    match message:
        case Wake(fence=fence):
            return fence, "deputies woken"
        case Hint(round=round_):
            return round_.fence, "hinted"
        case Acknowledge(ballot=ballot):
            return ballot.fence, "acknowledged"
        case Announce(fence=fence):
            return fence, "announced"
