"""One DynamoDB table: each call sent until its outcome is known or patience ends, refusals in words."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from edgemind.adapters.aws_calls import REMEDIES, Fault, Outcome, errors, fault_of, new_client
from edgemind.errors import EdgeMindError, PermanentError, StateCorrupt, StoreUnavailable, TemporaryError

Item = Mapping[str, Any]
"""An item as DynamoDB's JSON has it: `{"pk": {"S": "SITES#metro"}, ...}`."""

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_CONDITION = "ConditionalCheckFailed"
_CHECK_THE_TABLE = "Check that state.table has the string keys pk and sk, and that aws.region is its region"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class TableAddress:
    """`name` may have to look it up and then raises an EdgeMindError. No `region`: that of the environment."""

    name: Callable[[], str]
    region: str | None = None
    endpoint_url: str | None = None


class ConditionFailed(Exception):
    """A write found what its condition excludes: `items` as they are, by position in the transaction; None: absent."""

    def __init__(self, items: Sequence[Item | None]) -> None:
        super().__init__("a condition failed")
        self.items = items


class DynamoDbTable:
    """Threads may share it. Nothing is looked up or connected before the first call.

    A call whose answer is lost, or that is throttled, is sent again for `patience_s`: every write of ours is
    conditional or absolute, so that a second application changes nothing.
    """

    def __init__(self, address: TableAddress, timeout_s: float = 1.0, patience_s: float = 3.0) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._patience_s = patience_s
        self._opening = threading.Lock()
        self._open: tuple[Any, str] | None = None
        # Only spreads the repetitions of processes that met; nothing depends on what it gives.
        self._jitter = Random()

    def get(self, key: Item, *, consistent: bool = True) -> Item | None:
        """The item as of now, or else, for half the price, perhaps of a second ago; None if it is absent."""
        answer = self._call(
            "read", lambda client, name: client.get_item(TableName=name, Key=key, ConsistentRead=consistent)
        )
        item: Item | None = answer.get("Item")
        return item

    def query(self, pk: str) -> Iterator[Item]:
        """Every item of a partition, however many pages (1 MB each) that takes."""
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        while True:
            page = self._call("read", lambda client, name: client.query(TableName=name, **arguments))
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, item: Item, condition: str, values: Item) -> None:
        """Raises ConditionFailed with the item that is there."""
        self._call(
            "write to",
            lambda client, name: client.put_item(
                TableName=name,
                Item=item,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
        )

    def delete(self, key: Item) -> None:
        """Absent is fine."""
        self._call("write to", lambda client, name: client.delete_item(TableName=name, Key=key))

    def transact(self, *actions: Mapping[str, Mapping[str, Any]]) -> None:
        """All of the actions (`{"Put": {...}}`, without table) or none. Raises ConditionFailed."""

        def send(client: Any, name: str) -> Any:
            placed = [
                {kind: {"TableName": name, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **arguments}}
                for action in actions
                for kind, arguments in action.items()
            ]
            return client.transact_write_items(TransactItems=placed)

        self._call("write to", send)

    def corrupt(self, pk: str, sk: str, what: str, recovery: str) -> StateCorrupt:
        """The error for one item: where it is, what is wrong, that nothing was touched, how to recover."""
        name = self._open[1] if self._open else "?"
        return StateCorrupt(
            f'item pk="{pk}", sk="{sk}" of table {name} cannot be used: {what}. It was left as it is. {recovery}'
        )

    def _call(self, doing: str, send: Callable[[Any, str], _Result]) -> _Result:
        give_up_s = time.monotonic() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return send(*self._opened())
            except errors() as exc:
                _raise_condition(exc)
                fault = _fault(exc)
                if not fault.passing or time.monotonic() + pause_s > give_up_s:
                    raise self._explained(doing, fault) from exc
            # Half of it by chance, so that writers who met once do not meet again.
            time.sleep(pause_s * self._jitter.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _opened(self) -> tuple[Any, str]:
        """The client and the table's name."""
        with self._opening:
            if self._open is None:
                address = self._address
                client = new_client("dynamodb", address.region, address.endpoint_url, timeout_s=self._timeout_s)
                self._open = client, _looked_up(address.name)
            return self._open

    def _explained(self, doing: str, fault: Fault) -> EdgeMindError:
        name = self._open[1] if self._open else "of the state"
        where = f"table {name} ({self._open[0].meta.region_name})" if self._open else "the table of the state"
        if fault.outcome is Outcome.MISSING:
            return StateCorrupt(
                f"there is no {where}: {fault.says}. Deploy it (cdk deploy), or correct state.table or aws.region."
            )
        if fault.outcome is Outcome.REFUSED:
            return StateCorrupt(f"cannot {doing} {where}: {fault.says}. {_CHECK_THE_TABLE}.")
        return StoreUnavailable(f"cannot {doing} {where}: {fault.says}. {REMEDIES[fault.outcome]}.")


def _looked_up(name: Callable[[], str]) -> str:
    """In the errors of a state store, whoever calls it expects no others."""
    try:
        return name()
    except TemporaryError as exc:
        raise StoreUnavailable(str(exc), exc.retry_after_s) from exc
    except PermanentError as exc:
        raise StateCorrupt(str(exc)) from exc


def _raise_condition(error: Exception) -> None:
    response = _response(error)
    code = response.get("Error", {}).get("Code")
    if code == "ConditionalCheckFailedException":
        raise ConditionFailed([response.get("Item")]) from error
    reasons = response.get("CancellationReasons", ()) if code == "TransactionCanceledException" else ()
    if any(reason.get("Code") == _CONDITION for reason in reasons):
        raise ConditionFailed([_held(reason) for reason in reasons]) from error


def _response(error: Exception) -> Mapping[str, Any]:
    """AWS's answer; {} for an error of the SDK, some of which have the attribute and nothing in it."""
    return getattr(error, "response", None) or {}


def _held(reason: Mapping[str, Any]) -> Item | None:
    item: Item | None = reason.get("Item") if reason.get("Code") == _CONDITION else None
    return item


def _fault(error: Exception) -> Fault:
    """A cancelled transaction is busy if nothing but other writers or the table's limits stood in its way."""
    reasons = _response(error).get("CancellationReasons", ())
    codes = {str(reason.get("Code")) for reason in reasons} - {"None"}
    if not codes:
        return fault_of(error)
    busy = codes <= {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
    return Fault(Outcome.BUSY if busy else Outcome.REFUSED, "TransactionCanceledException", ", ".join(sorted(codes)))
