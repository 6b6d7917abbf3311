"""What a site has been told to scale, as it has to be remembered until it is done; and when it goes back."""

from dataclasses import dataclass, replace
from enum import StrEnum

from edgemind.domain.swarm.records import Candidate, Fence

SCALE_IN_RATIO = 0.5
"""Of the slots that would be left, how many may be in use for a replica to go.

Well below the relieved fill of the routing table (0.68 of capacity) and any threshold of a breach: giving back cannot
bring the breach back.
"""


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """How long to wait for what was asked, and with what was given: `SwarmPolicy` has the bounds."""

    ready_within_s: float
    keep_for_s: float


class Step(StrEnum):
    """APPLY: the number is to be set, and the replicas to become ready. UNDO: the one before is. DONE: neither."""

    APPLY = "apply"
    UNDO = "undo"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ScaleTask:
    """One model at this site, by the decision `fence`.

    `before` is what it had before the decision (None until that was asked), where an undo goes to; `base` what it had
    before the first of the decisions that were not given back yet. An undo carries the fence of the decision that it
    undoes: it is this round's other end, and a later round, which has seen more, must win over both.
    """

    model: str
    target: int
    fence: Fence
    before: int | None = None
    base: int | None = None
    step: Step = Step.APPLY

    @property
    def number(self) -> int:
        """To be set now. A scale-out never lowers: the proposal may have been made before replicas were ready."""
        assert self.before is not None
        return self.before if self.step is Step.UNDO else max(self.target, self.before)

    def after(self, known: "ScaleTask | None") -> "ScaleTask":
        """This decision, taken while `known` is on record: unfinished work never happened, as to what was before."""
        if known is None:
            return self
        return replace(self, before=None if known.step is Step.DONE else known.before, base=known.base)

    def seen(self, replicas: int) -> "ScaleTask":
        """With what the resource has, the first time it is asked."""
        before = replicas if self.before is None else self.before
        return replace(self, before=before, base=before if self.base is None else min(self.base, before))


def scale_task(fence: Fence, candidate: Candidate) -> ScaleTask:
    return ScaleTask(candidate.model, candidate.target, fence)


def too_many(replicas: int, base: int, slots_each: int, demand: float) -> bool:
    """Whether one of the replicas that a round added could go. `demand` is requests at once, of all ingresses."""
    return replicas > base and demand <= SCALE_IN_RATIO * slots_each * (replicas - 1)


class Lasting:
    """Whether something has held without a break for as long as asked, by times that are passed in."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    def holds(self, now: bool, now_s: float, for_s: float) -> bool:
        if not now:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= for_s
