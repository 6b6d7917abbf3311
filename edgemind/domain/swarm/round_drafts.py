"""The rounds whose records may still change: bounded, and handed over when they are decided or over."""

from collections.abc import Callable, Iterable

from edgemind.domain.swarm.history import Heard, RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.round_draft import RoundDraft, draft_of

ROUNDS_KEPT = 64
"""An effect may be undone long after its round."""
FORGOTTEN = "its outcome was not heard here"


class RoundDrafts:
    """`keep` is given a record when its round is decided or over, and again whenever something is added to it."""

    def __init__(
        self,
        metro: str,
        site: str,
        keep: Callable[[RoundRecord], None],
        wall_ms: Callable[[], int],
        known: Iterable[RoundRecord],
    ) -> None:
        self._metro = metro
        self._site = site
        self._keep = keep
        self._wall_ms = wall_ms
        before = sorted(known, key=lambda record: record.fence)[-ROUNDS_KEPT:]
        self._by_fence = {record.fence: draft_of(record) for record in before}
        self._newest = Fence(0, 0)
        """Learned by this process."""
        self._changed: dict[Fence, RoundDraft] = {}

    def get(self, fence: Fence) -> RoundDraft | None:
        """The draft of a round that is known here; whoever asks for it may change it."""
        draft = self._by_fence.get(fence)
        if draft is not None:
            self._changed[fence] = draft
        return draft

    def begun(self, fence: Fence, heard: Heard, now_ms: float) -> RoundDraft | None:
        """The same, begun now if there is none; None if it is older than what was learned: a late message's."""
        if fence not in self._by_fence:
            if fence <= self._newest:
                return None
            self._by_fence[fence] = RoundDraft(fence, self._wall_ms(), heard, now_ms)
            self._drop_oldest()
        return self.get(fence)

    def renumber(self, draft: RoundDraft, fence: Fence) -> RoundDraft:
        """An opening was refused because that round is over: the breach goes on as another round."""
        self._by_fence.pop(draft.fence, None)
        self._changed.pop(draft.fence, None)
        draft.fence = fence
        draft.opener = draft.coordinator = None
        draft.quorum, draft.voters, draft.trace_id = 0, (), ""
        self._by_fence[fence] = draft
        self._changed[fence] = draft
        return draft

    def learned(self, fence: Fence) -> None:
        """Rounds before it that were under way here are over."""
        self._newest = max(self._newest, fence)
        for draft in self._by_fence.values():
            if draft.fence < fence and draft.outcome is None and draft.ended is None:
                self._over(draft)

    def hand_over(self) -> None:
        changed, self._changed = self._changed, {}
        for draft in changed.values():
            if draft.outcome is None and draft.ended is None:
                continue
            record = draft.record(self._metro, self._site)
            if record != draft.kept:
                draft.kept = record
                self._keep(record)

    def _over(self, draft: RoundDraft) -> None:
        draft.ended = FORGOTTEN
        self._changed[draft.fence] = draft

    def _drop_oldest(self) -> None:
        while len(self._by_fence) > ROUNDS_KEPT:
            draft = self._by_fence.pop(min(self._by_fence))
            if draft.outcome is None and draft.ended is None:
                self._over(draft)
