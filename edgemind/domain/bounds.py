"""Numbers that a person may set, each with its bounds and unit written once, beside its default.

`bounds` is field metadata: configuration reads it to validate files and to publish their schema, `check_bounds` holds
it for objects that code builds directly. Validators at the edge read the keys `ge` and `le` from dataclass metadata.
"""

from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from edgemind.errors import ConfigurationError


class OutOfBounds(ConfigurationError, ValueError):
    """A setting is outside its bounds, or contradicts another one; `field` names the one to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def bounds(low: float, high: float, unit: str, meaning: str) -> Mapping[str, Any]:
    """Metadata of a number from `low` to `high`, both included, in `unit`."""
    return {"ge": low, "le": high, "description": meaning, "json_schema_extra": {"unit": unit}}


def meaning(text: str) -> Mapping[str, Any]:
    """Metadata of a setting that is not a number."""
    return {"description": text}


def check_bounds(record: Any) -> None:
    """Raise OutOfBounds for the first bounded field of a dataclass instance that is outside (NaN is)."""
    for field in fields(record):
        low, high = field.metadata.get("ge"), field.metadata.get("le")
        if low is None or high is None:
            continue
        value = getattr(record, field.name)
        if not low <= value <= high:
            raise OutOfBounds(field.name, f"{field.name} is {value}; it must be from {low} to {high}")


def check_order(record: Any, *names: str) -> None:
    """Raise OutOfBounds unless the named fields do not decrease from left to right."""
    for smaller, larger in pairwise(names):
        low, high = getattr(record, smaller), getattr(record, larger)
        if low > high:
            raise OutOfBounds(smaller, f"{low:g} is more than {larger} ({high:g}); lower it or raise {larger}")
