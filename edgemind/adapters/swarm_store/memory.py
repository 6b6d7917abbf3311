"""The rounds of a metro in one process: tests and the simulator. Gone when the process ends."""

import threading
from collections.abc import Sequence

from edgemind.adapters.swarm_store.rules import BALLOTS_KEPT_ROUNDS, CONDITIONS, Conditions, holds, not_provisioned
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence
from edgemind.domain.swarm.roster import ChangeRoster, Roster
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, Genesis, OpenRound, PutBallot


class MemorySwarmStore:
    """`SwarmStore` in dictionaries. Threads may share it. Tests weaken `conditions` to see what they are for."""

    def __init__(self, metro: str, conditions: Conditions = CONDITIONS) -> None:
        self._metro = metro
        self._conditions = conditions
        self._lock = threading.Lock()
        self._current: CurrentRound | None = None
        self._ballots: dict[Fence, dict[str, Ballot]] = {}
        self._roster = Roster()

    def genesis(self, write: Genesis) -> Applied | Refused:
        with self._lock:
            if self._current is not None and not holds(self._conditions, write, self._current):
                return Refused(self._current)
            self._current = write.applied()
            return Applied()

    def read_current(self) -> CurrentRound:
        with self._lock:
            return self._present()

    def open_round(self, write: OpenRound) -> Applied | Refused:
        with self._lock:
            answer = self._change(write)
            if isinstance(answer, Applied):
                self._drop_before(write.fence)
            return answer

    def put_ballot(self, write: PutBallot) -> Applied | Refused:
        with self._lock:
            ballot = write.ballot
            ballots = self._ballots.setdefault(ballot.fence, {})
            held = ballots.get(ballot.site)
            if held is not None and not holds(self._conditions, write, held):
                return Refused(held)
            ballots[ballot.site] = ballot
            return Applied()

    def read_ballots(self, fence: Fence) -> Sequence[Ballot]:
        with self._lock:
            return [ballot for _, ballot in sorted(self._ballots.get(fence, {}).items())]

    def decide(self, write: Decide) -> Applied | Refused:
        with self._lock:
            return self._change(write)

    def claim(self, write: Claim) -> Applied | Refused:
        with self._lock:
            return self._change(write)

    def read_roster(self) -> Roster:
        return self._roster

    def change_roster(self, write: ChangeRoster) -> Applied | Refused:
        with self._lock:
            if not holds(self._conditions, write, self._roster):
                return Refused(self._roster)
            self._roster = write.roster
            return Applied()

    def _present(self) -> CurrentRound:
        if self._current is None:
            raise not_provisioned(self._metro)
        return self._current

    def _change(self, write: CurrentWrite) -> Applied | Refused:
        current = self._present()
        if not holds(self._conditions, write, current):
            return Refused(current)
        self._current = write.applied(current)
        return Applied()

    def _drop_before(self, fence: Fence) -> None:
        kept = Fence(fence.epoch, fence.round - BALLOTS_KEPT_ROUNDS)
        self._ballots = {of: ballots for of, ballots in self._ballots.items() if of > kept}
