"""The advice of a metro in its region's table.

| pk | sk | holds |
|---|---|---|
| `G#<metro>` | `ADV` | the book, written only in place of the version before |
| `G#<metro>` | `POL` | what of it is in force: small, for every controller reads it each second |

The book decides. The policy is written after it, and never over a newer one; whoever finds it older than the book, as
a writer that died between the two leaves it, writes it again.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from edgemind.adapters.advice_store.records import (
    book_changed,
    book_record,
    policy_record,
    read_book,
    read_policy,
)
from edgemind.adapters.aws_calls import REMEDIES, Outcome, errors, fault_of, new_client
from edgemind.adapters.swarm_store.dynamodb_items import attributes_of, item_of, key_of, record_of
from edgemind.domain.advice.changes import AdviceBook, PolicyInForce, WriteBook
from edgemind.domain.deployment import PARTITION_KEY
from edgemind.errors import EdgeMindError, StateCorrupt, StoreUnavailable

BOOK, POLICY = "ADV", "POL"
ATTEMPTS = 3
"""Every call may be sent again: reads as they are, writes because of their condition."""


class DynamoDbAdviceStore:
    """`AdviceStore` in a table that many metros may share. Threads may share it; nothing is connected before it is
    used."""

    def __init__(
        self,
        table: Callable[[], str],
        metro: str,
        region: str | None = None,
        endpoint_url: str | None = None,
        timeout_s: float = 2.0,
    ) -> None:
        self._table = table
        self._partition = f"G#{metro}"
        self._place = region, endpoint_url
        self._timeout_s = timeout_s
        self._opening = threading.Lock()
        self._open: tuple[Any, str] | None = None

    def read_book(self) -> AdviceBook:
        item = self._get(BOOK, consistent=True)
        book = AdviceBook() if item is None else self._read(BOOK, item, read_book)
        self._put_policy_if_older(book)
        return book

    def write_book(self, write: WriteBook) -> None:
        before = write.book.version - 1
        condition: dict[str, Any] = {"ConditionExpression": f"attribute_not_exists({PARTITION_KEY})"}
        if before:
            condition = _when("#version = :version", before)
        if not self._put(BOOK, book_record(write.book), condition):
            held = self._get(BOOK, consistent=True)
            # A write sent again finds itself: its first answer was lost.
            if held is None or self._read(BOOK, held, read_book) != write.book:
                raise book_changed()
        self._put_policy(write.book)

    def read_policy(self) -> PolicyInForce:
        item = self._get(POLICY, consistent=False)
        return PolicyInForce() if item is None else self._read(POLICY, item, read_policy)

    def _put_policy_if_older(self, book: AdviceBook) -> None:
        if book.version > self.read_policy().version:
            self._put_policy(book)

    def _put_policy(self, book: AdviceBook) -> None:
        condition = _when(f"attribute_not_exists({PARTITION_KEY}) OR #version < :version", book.version)
        self._put(POLICY, policy_record(book.policy), condition)

    def _get(self, sort_key: str, *, consistent: bool) -> Mapping[str, Any] | None:
        answer = self._call("get_item", {"Key": key_of(self._partition, sort_key), "ConsistentRead": consistent})
        item: Mapping[str, Any] | None = answer.get("Item")
        return item

    def _put(self, sort_key: str, record: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
        """False if the condition did not hold. The document goes in as text: whole numbers and fractions come back."""
        text = json.dumps(record["document"], separators=(",", ":"))
        item = item_of(self._partition, sort_key, {**record, "document": text})
        try:
            self._call("put_item", {"Item": item, **condition})
        except _ConditionFailed:
            return False
        return True

    def _read(self, sort_key: str, item: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Any]) -> Any:
        record = record_of(item)
        try:
            return read({**record, "document": json.loads(str(record.get("document")))})
        except (StateCorrupt, ValueError) as exc:
            name = self._open[1] if self._open else "?"
            raise StateCorrupt(
                f'item pk="{self._partition}", sk="{sort_key}" of table {name} cannot be used: {exc}. It was '
                "left as it is. Delete it: the values of edgemind.yaml are then in force, and advice begins anew."
            ) from exc

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            client, name = self._opened()
            answer: Mapping[str, Any] = getattr(client, operation)(TableName=name, **arguments)
            return answer
        except errors() as exc:
            response = getattr(exc, "response", None) or {}
            if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
                raise _ConditionFailed from exc
            raise self._explained(operation, exc) from exc

    def _opened(self) -> tuple[Any, str]:
        with self._opening:
            if self._open is None:
                region, endpoint_url = self._place
                client = new_client("dynamodb", region, endpoint_url, timeout_s=self._timeout_s, attempts=ATTEMPTS)
                self._open = client, self._table()
            return self._open

    def _explained(self, operation: str, exc: Exception) -> EdgeMindError:
        fault = fault_of(exc)
        says = f"{operation} of advice on table {self._open[1] if self._open else '?'}: {fault.says}"
        if fault.outcome in (Outcome.MISSING, Outcome.REFUSED):
            return StateCorrupt(f"{says}. Deploy the table (cdk deploy), or correct its name or region.")
        return StoreUnavailable(f"{says}. {REMEDIES[fault.outcome]}.")


def _when(condition: str, version: int) -> dict[str, Any]:
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": attributes_of({":version": version}),
    }


class _ConditionFailed(Exception):
    pass
