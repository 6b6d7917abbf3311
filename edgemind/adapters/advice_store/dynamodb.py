"""The advice of a metro in its region's table, beside the state.

| pk | sk | holds |
|---|---|---|
| `G#<metro>` | `ADV` | the book, written only in place of the version before |
| `G#<metro>` | `POL` | what of it is in force: small, for every controller reads it each second |

One transaction writes both.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from edgemind.adapters.advice_store.records import (
    book_changed,
    book_record,
    policy_record,
    read_book,
    read_policy,
)
from edgemind.adapters.state_store.dynamodb_items import CONDITION_ABSENT, item_key, item_of, record_of
from edgemind.adapters.state_store.dynamodb_table import ConditionFailed, DynamoDbTable, Item
from edgemind.domain.advice.changes import AdviceBook, PolicyInForce, WriteBook
from edgemind.errors import StateCorrupt

BOOK, POLICY = "ADV", "POL"
_RECOVERY = (
    f"Delete the items {BOOK} and {POLICY}: the values of edgemind.yaml are then in force, and advice begins anew."
)
_Stored = TypeVar("_Stored")


class DynamoDbAdviceStore:
    """`AdviceStore` in a table that many metros may share."""

    def __init__(self, table: DynamoDbTable, metro: str) -> None:
        self._table = table
        self._partition = f"G#{metro}"

    def read_book(self) -> AdviceBook:
        item = self._table.get(item_key(self._partition, BOOK))
        return AdviceBook() if item is None else self._read(item, read_book)

    def write_book(self, write: WriteBook) -> None:
        book = self._item(BOOK, book_record(write.book))
        policy = self._item(POLICY, policy_record(write.book.policy))
        try:
            self._table.transact({"Put": {"Item": book, **_follows(write)}}, {"Put": {"Item": policy}})
        except ConditionFailed as refused:
            held = refused.items[0]
            # A write sent again finds itself: its first answer was lost.
            if held is None or self._read(held, read_book) != write.book:
                raise book_changed() from refused

    def read_policy(self) -> PolicyInForce:
        item = self._table.get(item_key(self._partition, POLICY), consistent=False)
        return PolicyInForce() if item is None else self._read(item, read_policy)

    def _item(self, sort_key: str, record: Mapping[str, Any]) -> Item:
        """The document goes in as text: whole numbers and fractions come back."""
        text = json.dumps(record["document"], separators=(",", ":"))
        return item_of(self._partition, sort_key, {**record, "document": text})

    def _read(self, item: Item, read: Callable[[Mapping[str, Any]], _Stored]) -> _Stored:
        record = record_of(item)
        try:
            return read({**record, "document": json.loads(str(record.get("document")))})
        except (StateCorrupt, ValueError) as exc:
            raise self._table.corrupt(self._partition, str(record["sk"]), str(exc), _RECOVERY) from exc


def _follows(write: WriteBook) -> Mapping[str, Any]:
    """The condition that the version before is there."""
    before = write.book.version - 1
    if not before:
        return {"ConditionExpression": CONDITION_ABSENT}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(before)}},
    }
