"""What a member's store calls say about its rounds: an answer names its call by number only."""

from edgemind.domain.swarm.history import Known
from edgemind.domain.swarm.protocol import (
    Answered,
    Applied,
    Conclusion,
    Found,
    ReadBallots,
    ReadCurrent,
    Refused,
    Request,
    StoreCall,
    Trouble,
)
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence
from edgemind.domain.swarm.round_draft import RoundDraft, writer
from edgemind.domain.swarm.round_drafts import RoundDrafts
from edgemind.domain.swarm.writes import Claim, Decide, OpenRound, PutBallot

CALLS_KEPT = 1024
"""Calls that are never answered must not add up."""


class RecordedCalls:
    """Writes what is asked of the store, and what comes of it, into the drafts."""

    def __init__(self, site: str, drafts: RoundDrafts) -> None:
        self._site = site
        self._drafts = drafts
        self._requests: dict[int, Request] = {}

    def sent(self, call: StoreCall, now_ms: float) -> None:
        request = call.request
        self._requests[call.call] = request
        while len(self._requests) > CALLS_KEPT:
            del self._requests[next(iter(self._requests))]
        fence = fence_of(request)
        draft = self._drafts.get(fence) if fence is not None else None
        if draft is None:
            return
        draft.sent(call.copy)
        match request:
            case OpenRound():
                draft.step("open sent", now_ms)
            case ReadBallots():
                draft.step("ballots asked for", now_ms)
            case Decide():
                draft.voters = request.voters
                draft.step("deciding", now_ms)
            case _:
                pass

    def answered(self, event: Answered, now_ms: float) -> Request | None:
        """The request whose outcome this is; None of a copy that says nothing, or nothing new."""
        if isinstance(event.answer, Trouble) or event.call not in self._requests:
            return None
        request = self._requests.pop(event.call)
        fence = fence_of(request)
        draft = self._drafts.get(fence) if fence is not None else None
        if draft is not None:
            self._conclude(draft, request, event.answer, now_ms)
        return request

    def _conclude(self, draft: RoundDraft, request: Request, answer: Conclusion, now_ms: float) -> None:
        held = answer.held if isinstance(answer, Refused) else None
        match request:
            case OpenRound():
                _opened(draft, request, held, now_ms)
            case PutBallot(ballot):
                stands = held if isinstance(held, Ballot) else ballot
                if stands.ranking != ballot.ranking:
                    # What was voted before a restart stands, and what was voted now is no ballot.
                    draft.votes.pop(stands.site, None)
                draft.know(stands, Known.OWN, now_ms)
                draft.step("voted", now_ms)
            case ReadBallots():
                draft.step("ballots read", now_ms)
                for ballot in answer.ballots if isinstance(answer, Found) else ():
                    draft.know(ballot, Known.READ, now_ms)
            case Decide():
                self._decided(draft, request, held)
            case Claim() if isinstance(answer, Applied):
                draft.step("claimed", now_ms)
            case _:
                pass

    def _decided(self, draft: RoundDraft, write: Decide, held: object) -> None:
        if held is None or (isinstance(held, CurrentRound) and write.is_in(held)):
            draft.coordinator, draft.voters = self._site, write.voters
            # Somebody may have told this site of its own decision before the store did.
            draft.decided_ms = draft.learned_ms
        elif isinstance(held, CurrentRound) and held.fence == write.fence:
            draft.coordinator, draft.voters = writer(held.decision_nonce), held.voters


def _opened(draft: RoundDraft, write: OpenRound, held: object, now_ms: float) -> None:
    if held is None:
        draft.opened(write.opened())
        draft.step("opened", now_ms)
    elif isinstance(held, CurrentRound) and held.fence == write.fence:
        draft.opened(held)
        name = "opened" if write.is_in(held) else "joined" if held.open else "found decided"
        draft.step(name, now_ms)


def fence_of(request: Request) -> Fence | None:
    """The round that a call is about."""
    match request:
        case PutBallot(ballot):
            return ballot.fence
        case ReadCurrent():
            return None
        case _:
            return request.fence
