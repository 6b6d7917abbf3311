"""The rounds of a metro on a laptop or a single host: one JSON file that the controllers of all sites share."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from edgemind.adapters.state_store.json_document import DocumentKind, JsonDocument
from edgemind.adapters.state_store.records import Record
from edgemind.adapters.swarm_store.records import (
    ballot_record,
    current_record,
    read_ballot,
    read_current,
    read_roster,
    roster_record,
)
from edgemind.adapters.swarm_store.rules import BALLOTS_KEPT_ROUNDS, CONDITIONS, holds, not_provisioned
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence
from edgemind.domain.swarm.roster import ChangeRoster, Roster
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, Genesis, OpenRound, PutBallot
from edgemind.errors import StateCorrupt

SWARM = DocumentKind(
    file_name="swarm.json",
    recovery=(
        "Stop the controllers that share it, move it aside, and provision the metro again with a higher epoch: then "
        "nothing that was decided before is taken for something new."
    ),
    remade=False,
)
_CURRENT, _MEMBERS = "CUR", "MEM"
_Stored = TypeVar("_Stored")


class JsonFileSwarmStore:
    """`SwarmStore` in `directory / swarm.json`, made with the genesis. Many processes may share it.

    Records are named as the items of a table: `G#<metro>/CUR`, `G#<metro>/MEM` for the roster, and
    `G#<metro>#R#<epoch>.<round>/V#<site>` per ballot.
    """

    def __init__(self, directory: Path, metro: str, lock_timeout_s: float = 5.0) -> None:
        self._metro = metro
        self._document = JsonDocument(directory, SWARM, lock_timeout_s)

    def genesis(self, write: Genesis) -> Applied | Refused:
        with self._document.edit() as records:
            if self._name(_CURRENT) in records:
                held = self._present(records)
                if not holds(CONDITIONS, write, held):
                    return Refused(held)
            records[self._name(_CURRENT)] = current_record(write.applied())
            return Applied()

    def read_current(self) -> CurrentRound:
        return self._present(self._document.read())

    def open_round(self, write: OpenRound) -> Applied | Refused:
        with self._document.edit() as records:
            answer = self._change(records, write)
            if isinstance(answer, Applied):
                self._drop_before(records, write.fence)
            return answer

    def put_ballot(self, write: PutBallot) -> Applied | Refused:
        ballot = write.ballot
        name = self._ballot_name(ballot.fence, ballot.site)
        with self._document.edit() as records:
            if name in records:
                held = self._ballot(name, records[name])
                if not holds(CONDITIONS, write, held):
                    return Refused(held)
            records[name] = ballot_record(ballot)
            return Applied()

    def read_ballots(self, fence: Fence) -> Sequence[Ballot]:
        records = self._document.read()
        prefix = self._ballot_name(fence, "")
        return [self._ballot(name, records[name]) for name in sorted(records) if name.startswith(prefix)]

    def decide(self, write: Decide) -> Applied | Refused:
        with self._document.edit() as records:
            return self._change(records, write)

    def claim(self, write: Claim) -> Applied | Refused:
        with self._document.edit() as records:
            return self._change(records, write)

    def read_roster(self) -> Roster:
        return self._roster(self._document.read())

    def change_roster(self, write: ChangeRoster) -> Applied | Refused:
        with self._document.edit() as records:
            held = self._roster(records)
            if not holds(CONDITIONS, write, held):
                return Refused(held)
            records[self._name(_MEMBERS)] = roster_record(write.roster)
            return Applied()

    def _name(self, sort_key: str, partition: str = "") -> str:
        return f"G#{self._metro}{partition}/{sort_key}"

    def _ballot_name(self, fence: Fence, site: str) -> str:
        return self._name(f"V#{site}", f"#R#{fence}")

    def _present(self, records: Mapping[str, Record]) -> CurrentRound:
        name = self._name(_CURRENT)
        if name not in records:
            raise not_provisioned(self._metro)
        return self._read(name, records[name], read_current)

    def _ballot(self, name: str, record: Record) -> Ballot:
        return self._read(name, record, read_ballot)

    def _roster(self, records: Mapping[str, Record]) -> Roster:
        name = self._name(_MEMBERS)
        return self._read(name, records[name], read_roster) if name in records else Roster()

    def _read(self, name: str, record: Record, read: Callable[[Record], _Stored]) -> _Stored:
        try:
            return read(record)
        except StateCorrupt as exc:
            raise self._document.corrupt(f'record "{name}": {exc}') from exc

    def _change(self, records: dict[str, Record], write: CurrentWrite) -> Applied | Refused:
        current = self._present(records)
        if not holds(CONDITIONS, write, current):
            return Refused(current)
        records[self._name(_CURRENT)] = current_record(write.applied(current))
        return Applied()

    def _drop_before(self, records: dict[str, Record], fence: Fence) -> None:
        kept = Fence(fence.epoch, fence.round - BALLOTS_KEPT_ROUNDS)
        mine = [name for name in records if name.startswith(f"G#{self._metro}#R#")]
        for name in mine:
            if self._ballot(name, records[name]).fence <= kept:
                del records[name]
