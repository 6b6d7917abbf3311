"""A site's own part of a decision: claimed first if it cannot be done twice, then carried out behind the fence."""

from edgemind.domain.swarm.protocol import Applied, Conclusion, Effect, Execute, Refused
from edgemind.domain.swarm.records import CLAIMED, KEEP, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.repetition import StoreCalls
from edgemind.domain.swarm.writes import Claim


class Executor:
    """`incarnation` grows with each start of the site's controller."""

    def __init__(self, me: str, incarnation: int, calls: StoreCalls) -> None:
        self._me = me
        self._incarnation = incarnation
        self._calls = calls
        self._claim: Claim | None = None
        self._claimed: Outcome | None = None

    def learned(self, fence: Fence, outcome: Outcome, now_ms: float) -> list[Effect]:
        """What this site has to do about an outcome that it has not seen before."""
        if outcome.candidate == KEEP or outcome.candidate.site != self._me:
            return []
        if outcome.candidate.action not in CLAIMED:
            return [Execute(fence, outcome)]
        self._calls.forget(self._claim)
        self._claim, self._claimed = Claim(fence, self._me, self._incarnation), outcome
        return [self._calls.start(self._claim, now_ms)]

    def claimed(self, write: Claim, conclusion: Conclusion) -> list[Effect]:
        """Refused by another incarnation's claim, or by a later round: then it is not this one's to do."""
        if write is not self._claim or self._claimed is None:
            return []
        held = conclusion.held if isinstance(conclusion, Refused) else None
        mine = isinstance(conclusion, Applied) or (isinstance(held, CurrentRound) and write.is_in(held))
        return [Execute(write.fence, self._claimed)] if mine else []
