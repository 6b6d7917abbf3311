"""How registrations, drains, keys, join tokens and anchors lie in the table. An item's keys are `pk` (with the metro)
and `sk`.

| pk | sk | holds |
|---|---|---|
| `SITES#<metro>` | `SITE#<site>` | a registration |
| `DRAINS#<metro>` | `SITE#<site>` | since when the site is out of service |
| `KEYS#<metro>` | `KEY#<id>` | an API key |
| `KEYS#<metro>` | `LIVE#<tenant>` | `ids`, the set of the tenant's live keys |
| `KEYS#<metro>` | `VERSION` | `changes`, how often a key was changed |
| `JOINS#<metro>` | `SITE#<site>` | the token with which the site may join; expires |
| `AUDIT#<metro>` | `SITE#<site>#<chain>` | where the site's audit journal stood last |

All of a metro's keys lie in one partition, so that one query lists them and one transaction changes them.
`docs/adr/0012-the-core-finds-aws-by-stack-outputs.md` has the reasons.
"""

from collections.abc import Mapping
from typing import Any

from edgemind.adapters.state_store.dynamodb_table import Item
from edgemind.adapters.state_store.records import SCHEMA_VERSION, Record
from edgemind.domain.deployment import PARTITION_KEY, SORT_KEY

SITE = "SITE#"
KEY = "KEY#"
LIVE = "LIVE#"
VERSION = "VERSION"
Action = Mapping[str, Mapping[str, Any]]
"""A part of a transaction: `{"Update": {...}}`."""

CONDITION_ABSENT = f"attribute_not_exists({PARTITION_KEY})"


def sites_partition(metro: str) -> str:
    return f"SITES#{metro}"


def drains_partition(metro: str) -> str:
    return f"DRAINS#{metro}"


def keys_partition(metro: str) -> str:
    return f"KEYS#{metro}"


def joins_partition(metro: str) -> str:
    return f"JOINS#{metro}"


def anchors_partition(metro: str) -> str:
    return f"AUDIT#{metro}"


def item_key(pk: str, sk: str) -> Item:
    return {PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}}


def item_of(pk: str, sk: str, record: Record) -> Item:
    """A record (texts, whole numbers and nulls) as an item."""
    return {**item_key(pk, sk), **{name: _attribute(value) for name, value in record.items()}}


def _attribute(value: object) -> Mapping[str, Any]:
    if value is None:
        return {"NULL": True}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def record_of(item: Item) -> Record:
    """An item as a record. A value of a kind that no record of ours holds stays as it is, for its reader to refuse."""
    return {name: _value(attribute) for name, attribute in item.items()}


def _value(attribute: Mapping[str, Any]) -> object:
    ((kind, value),) = attribute.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return value


def change(pk: str, sk: str, update: str, values: Item, condition: str | None = None) -> Action:
    """An update inside a transaction. An item that it makes carries our schema version; any other keeps its own."""
    stamped = f"SET schema_version = if_not_exists(schema_version, :schema) {update}"
    arguments: dict[str, Any] = {
        "Key": item_key(pk, sk),
        "UpdateExpression": stamped,
        "ExpressionAttributeValues": {":schema": {"S": SCHEMA_VERSION}, **values},
    }
    if condition is not None:
        arguments["ConditionExpression"] = condition
    return {"Update": arguments}
