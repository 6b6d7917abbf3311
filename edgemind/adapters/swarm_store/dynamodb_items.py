"""Records of rounds as items of a table, and back."""

from collections.abc import Mapping
from typing import Any

from edgemind.domain.deployment import PARTITION_KEY, SORT_KEY

CURRENT = "CUR"
MEMBERS = "MEM"
BALLOT = "V#"
_ITEM_ONLY = (PARTITION_KEY, SORT_KEY)


def key_of(pk: str, sk: str) -> dict[str, Any]:
    return {PARTITION_KEY: {"S": pk}, SORT_KEY: {"S": sk}}


def item_of(pk: str, sk: str, record: Mapping[str, object]) -> dict[str, Any]:
    return {**key_of(pk, sk), **attributes_of(record)}


def attributes_of(record: Mapping[str, object]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in record.items()}


def record_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item without its key. A value of a kind that no record has stays as it is, for its reader to refuse."""
    return {name: _value(attribute) for name, attribute in item.items() if name not in _ITEM_ONLY}


def _attribute(value: object) -> dict[str, Any]:
    match value:
        case None:
            return {"NULL": True}
        # Before numbers: in Python a bool is one.
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_attribute(each) for each in value]}
        case dict():
            return {"M": {name: _attribute(each) for name, each in value.items()}}
    raise TypeError(f"no record holds a {type(value).__name__}")


def _value(attribute: Mapping[str, Any]) -> object:
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "L":
            return [_value(each) for each in value]
        case "M":
            return {name: _value(each) for name, each in value.items()}
    return value
