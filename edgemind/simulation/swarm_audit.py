"""What must hold whatever goes wrong. The audit sees what no site can: every write as it is applied, every effect."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgemind.domain.swarm.ballots import admissible, quorum, winner
from edgemind.domain.swarm.records import CLAIMED, KEEP, Ballot, CurrentRound, Fence, Outcome
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, OpenRound


@dataclass(slots=True)
class Opened:
    """What is known of one round from its opening on."""

    round: CurrentRound
    at_ms: float
    outcome: Outcome | None = None


@dataclass(slots=True)
class Resource:
    """What a site's effects change. It takes no fence below the last one: the only defence against a paused process."""

    fence: Fence = field(default_factory=lambda: Fence(0, 0))
    outcome: Outcome | None = None
    executions: dict[Fence, int] = field(default_factory=dict)


class Audit:
    """`violations` names the invariant of each breach of one, with its round."""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.rounds: dict[Fence, Opened] = {}
        self._newest = Fence(0, 0)
        self._ballots: dict[tuple[Fence, str], Ballot] = {}
        self._resources: dict[str, Resource] = {}

    def opened_after(self, fence: Fence, at_ms: float) -> bool:
        found = self.rounds.get(fence)
        return found is not None and found.at_ms >= at_ms

    # Writes that the store applied

    def applied(self, write: CurrentWrite, before: CurrentRound, ballots: Sequence[Ballot], now_ms: float) -> None:
        """`before`: the item that the write found. `ballots`: those stored for the write's round."""
        match write:
            case OpenRound():
                self._opened(write, before, now_ms)
            case Decide():
                self._decided(write, before, ballots)
            case Claim():
                self._expect(
                    before.fence == write.fence and not before.open,
                    f"stale fence: a claim of {write.fence} was granted in {before.fence}",
                )

    def voted(self, ballot: Ballot, epoch: int) -> None:
        """Not in an epoch that is over: its ballots are gone, and what is late may be cast anew."""
        if ballot.fence.epoch < epoch:
            return
        first = self._ballots.setdefault((ballot.fence, ballot.site), ballot)
        self._expect(first == ballot, f"one ballot: {ballot.site} changed its vote in {ballot.fence}")

    def _opened(self, write: OpenRound, before: CurrentRound, now_ms: float) -> None:
        self._expect(write.fence > self._newest, f"stale fence: {write.fence} opened after {self._newest}")
        self._expect(not before.open, f"quorum or KEEP: {before.fence} was left without an outcome")
        self._expect(write.quorum == quorum(len(write.roster)), f"quorum: {write.fence} opened with another one")
        self._newest = max(self._newest, write.fence)
        # A round that opens a second time keeps its first outcome here: whoever learns another one breaks agreement.
        first = self.rounds.get(write.fence)
        self.rounds[write.fence] = Opened(write.opened(), now_ms, first.outcome if first is not None else None)

    def _decided(self, write: Decide, before: CurrentRound, ballots: Sequence[Ballot]) -> None:
        fence, outcome = before.fence, write.outcome
        found = self.rounds.get(fence)
        if found is None:
            return self._expect(False, f"stale fence: {fence} was decided and never opened")
        round_ = found.round
        self._agree(fence, outcome)
        self._expect(outcome.candidate in round_.candidates, f"candidate: {fence} decided {outcome.candidate.id}")
        if outcome.timed_out:
            return self._expect(outcome.candidate == KEEP, f"quorum or KEEP: {fence} timed out with a change")
        cast = {ballot.site: ballot for ballot in ballots if admissible(ballot, round_)}
        counted = [cast[site] for site in write.voters if site in cast]
        self._expect(len(counted) == len(write.voters) >= round_.quorum, f"quorum: {fence} has {len(counted)} ballots")
        self._expect(
            not counted or winner(round_.candidates, counted) == outcome.candidate,
            f"tally: {fence} decided what its stored ballots do not say",
        )
        return None

    # What sites do

    def learned(self, fence: Fence, outcome: Outcome) -> None:
        self._expect(fence in self.rounds, f"stale fence: an outcome of {fence}, which never opened, was learned")
        self._agree(fence, outcome)

    def execute(self, site: str, fence: Fence, outcome: Outcome) -> None:
        """As the resource takes it: nothing below its fence; the same absolute state again is no second execution."""
        resource = self._resources.setdefault(site, Resource())
        if fence < resource.fence:
            return
        self._agree(fence, outcome)
        again = fence == resource.fence and outcome == resource.outcome
        if outcome.candidate.action in CLAIMED or not again:
            resource.executions[fence] = resource.executions.get(fence, 0) + 1
        resource.fence, resource.outcome = fence, outcome
        self._expect(outcome.candidate.site == site, f"candidate: {site} carried out another site's part of {fence}")
        self._expect(resource.executions[fence] <= 1, f"one execution: {site} carried {fence} out twice")

    # Bookkeeping

    def _agree(self, fence: Fence, outcome: Outcome) -> None:
        found = self.rounds.get(fence)
        if found is None:
            return
        if found.outcome is None:
            found.outcome = outcome
        self._expect(found.outcome == outcome, f"agreement: {fence} has two outcomes")

    def _expect(self, holds: bool, violation: str) -> None:
        if not holds:
            self.violations.append(violation)
