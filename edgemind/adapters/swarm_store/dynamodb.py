"""The rounds of a metro in its region's table: every method is one call of DynamoDB, sent once.

| pk | sk | holds |
|---|---|---|
| `G#<metro>` | `CUR` | the current round |
| `G#<metro>` | `MEM` | the roster |
| `G#<metro>#R#<epoch>.<round>` | `V#<site>` | a ballot, which expires |

The conditions are those of `domain/swarm/writes.py`, in DynamoDB's language. Never a table that two regions write: both
of two conditional writes could succeed there.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from edgemind.adapters.aws_calls import REMEDIES, Fault, Outcome, errors, fault_of, new_client
from edgemind.adapters.swarm_store.dynamodb_items import (
    BALLOT,
    CURRENT,
    MEMBERS,
    attributes_of,
    item_of,
    key_of,
    record_of,
)
from edgemind.adapters.swarm_store.records import (
    ballot_record,
    current_record,
    read_ballot,
    read_current,
    read_roster,
    roster_record,
)
from edgemind.adapters.swarm_store.rules import not_provisioned
from edgemind.domain.deployment import PARTITION_KEY, TTL_ATTRIBUTE
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence, RoundState
from edgemind.domain.swarm.roster import ChangeRoster, Roster
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from edgemind.errors import EdgeMindError, StateCorrupt, StoreUnavailable
from edgemind.ports.swarm_store import OutcomeUnknown, Throttled

BALLOT_TTL_S = 3600
_RECOVERY = "Restore the table to before the damage, and raise the metro's epoch."
_ABSENT = f"attribute_not_exists({PARTITION_KEY})"
_Item: TypeAlias = Mapping[str, Any] | None
_Held: TypeAlias = CurrentRound | Ballot | Roster
_Stored = TypeVar("_Stored")
_AT = "epoch = :epoch AND rnd = :rnd AND st = :st"


class DynamoDbSwarmStore:
    """`SwarmStore` in a table that many metros may share. Threads may share it; nothing is connected before it is used.

    `timeout_s` is the time to connect, and again to answer: a round cannot wait for more.
    """

    def __init__(
        self,
        table: Callable[[], str],
        metro: str,
        region: str | None = None,
        endpoint_url: str | None = None,
        timeout_s: float = 0.2,
    ) -> None:
        self._table = table
        self._metro = metro
        self._place = region, endpoint_url
        self._timeout_s = timeout_s
        self._partition = f"G#{metro}"
        self._opening = threading.Lock()
        self._open: tuple[Any, str] | None = None

    def genesis(self, write: Genesis) -> Applied | Refused:
        item = item_of(self._partition, CURRENT, current_record(write.applied()))
        return self._write("put_item", {"Item": item, "ConditionExpression": _ABSENT}, self._current)

    def read_current(self) -> CurrentRound:
        answer = self._call("get_item", {"Key": key_of(self._partition, CURRENT), "ConsistentRead": True})
        return self._current(answer.get("Item"))

    def open_round(self, write: OpenRound) -> Applied | Refused:
        before = Fence(write.fence.epoch, write.fence.round - 1)
        record = current_record(write.opened())
        # Everything but the epoch: what the round before left is overwritten with this one's, or with nothing.
        names = [name for name in record if name not in ("schema_version", "epoch")]
        update = "SET " + ", ".join(f"#{name} = :new_{name}" for name in names)
        values = {f":new_{name}": record[name] for name in names}
        return self._update(update, _AT, before, RoundState.DECIDED, (values, {f"#{name}": name for name in names}))

    def decide(self, write: Decide) -> Applied | Refused:
        decided = current_record(write.applied(CurrentRound(write.fence, RoundState.OPEN)))
        update = "SET #st = :decided, #outcome = :outcome, #voters = :voters, #dnonce = :dnonce"
        values = {
            ":decided": decided["st"],
            ":outcome": decided["outcome"],
            ":voters": decided["voters"],
            ":dnonce": decided["dnonce"],
        }
        names = {f"#{name}": name for name in ("st", "outcome", "voters", "dnonce")}
        return self._update(update, _AT, write.fence, RoundState.OPEN, (values, names))

    def claim(self, write: Claim) -> Applied | Refused:
        condition = f"{_AT} AND attribute_not_exists(claims.#site)"
        added = {":incarnation": write.incarnation}, {"#site": write.site}
        return self._update("SET claims.#site = :incarnation", condition, write.fence, RoundState.DECIDED, added)

    def put_ballot(self, write: PutBallot) -> Applied | Refused:
        ballot = write.ballot
        record = {**ballot_record(ballot), TTL_ATTRIBUTE: int(time.time()) + BALLOT_TTL_S}
        item = item_of(self._ballots(ballot.fence), BALLOT + ballot.site, record)
        return self._write("put_item", {"Item": item, "ConditionExpression": _ABSENT}, self._ballot)

    def read_ballots(self, fence: Fence) -> Sequence[Ballot]:
        """One page of a megabyte, in which some thousand ballots have room."""
        answer = self._call(
            "query",
            {
                "KeyConditionExpression": f"{PARTITION_KEY} = :pk",
                "ExpressionAttributeValues": {":pk": {"S": self._ballots(fence)}},
                "ConsistentRead": True,
            },
        )
        return [self._ballot(item) for item in answer["Items"]]

    def read_roster(self) -> Roster:
        answer = self._call("get_item", {"Key": key_of(self._partition, MEMBERS), "ConsistentRead": True})
        return self._roster(answer.get("Item"))

    def change_roster(self, write: ChangeRoster) -> Applied | Refused:
        before = write.roster.version - 1
        arguments: dict[str, Any] = {"Item": item_of(self._partition, MEMBERS, roster_record(write.roster))}
        if before == 0:
            arguments["ConditionExpression"] = _ABSENT
        else:
            arguments["ConditionExpression"] = "#version = :before"
            arguments["ExpressionAttributeNames"] = {"#version": "version"}
            arguments["ExpressionAttributeValues"] = attributes_of({":before": before})
        return self._write("put_item", arguments, self._roster)

    def _ballots(self, fence: Fence) -> str:
        return f"{self._partition}#R#{fence}"

    def _update(
        self,
        update: str,
        condition: str,
        fence: Fence,
        state: RoundState,
        added: tuple[Mapping[str, object], Mapping[str, str]],
    ) -> Applied | Refused:
        """`added`: the values and names that `update` needs, beyond those of the condition."""
        values = {":epoch": fence.epoch, ":rnd": fence.round, ":st": state.value, **added[0]}
        arguments = {
            "Key": key_of(self._partition, CURRENT),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": attributes_of(values),
            "ExpressionAttributeNames": dict(added[1]),
        }
        return self._write("update_item", arguments, self._current)

    def _write(self, operation: str, arguments: dict[str, Any], held: Callable[[_Item], _Held]) -> Applied | Refused:
        try:
            self._call(operation, {**arguments, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
        except _ConditionFailed as refused:
            return Refused(held(refused.item))
        return Applied()

    # Reading

    def _current(self, item: _Item) -> CurrentRound:
        if not item:
            raise not_provisioned(self._metro)
        return self._read(item, read_current)

    def _ballot(self, item: _Item) -> Ballot:
        return self._read(item or {}, read_ballot)

    def _roster(self, item: _Item) -> Roster:
        return self._read(item, read_roster) if item else Roster()

    def _read(self, item: Mapping[str, Any], read: Callable[[Mapping[str, Any]], _Stored]) -> _Stored:
        try:
            return read(record_of(item))
        except StateCorrupt as exc:
            place = ", ".join(f'{name}="{value.get("S")}"' for name, value in item.items() if name in ("pk", "sk"))
            name = self._open[1] if self._open else "?"
            raise StateCorrupt(
                f"item {place} of table {name} cannot be used: {exc}. It was left as it is. {_RECOVERY}"
            ) from exc

    # Calling

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            client, name = self._opened()
            answer: Mapping[str, Any] = getattr(client, operation)(TableName=name, **arguments)
            return answer
        except errors() as exc:
            response = getattr(exc, "response", None) or {}
            if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                raise _ConditionFailed(response.get("Item")) from exc
            raise self._explained(operation, fault_of(exc)) from exc

    def _opened(self) -> tuple[Any, str]:
        with self._opening:
            if self._open is None:
                region, endpoint_url = self._place
                client = new_client("dynamodb", region, endpoint_url, timeout_s=self._timeout_s)
                self._open = client, self._table()
            return self._open

    def _explained(self, operation: str, fault: Fault) -> EdgeMindError:
        name = self._open[1] if self._open else "of the swarm"
        says = f"{operation} on table {name}: {fault.says}"
        match fault.outcome:
            case Outcome.UNKNOWN:
                return OutcomeUnknown(f"{says}. {REMEDIES[fault.outcome]}.")
            case Outcome.BUSY:
                return Throttled(f"{says}. {REMEDIES[fault.outcome]}.")
            case Outcome.MISSING | Outcome.REFUSED:
                return StateCorrupt(f"{says}. Deploy the table (cdk deploy), or correct its name or region.")
        return StoreUnavailable(f"{says}. {REMEDIES[fault.outcome]}.")


class _ConditionFailed(Exception):
    def __init__(self, item: Mapping[str, Any] | None) -> None:
        super().__init__("a condition failed")
        self.item = item
