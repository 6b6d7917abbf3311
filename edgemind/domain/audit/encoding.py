"""One encoding for each value, so that a byte that differs is a value that differs.

Version 1: JSON in ASCII, names sorted, no white space, numbers as Python writes them (the shortest text that reads back
as the same number). A line of the journal is compared with what its own values encode to, so nothing in it is free.
"""

import json
import math
from collections.abc import Mapping
from enum import Enum

ENCODING_VERSION = 1
DEPTH_LIMIT = 32
TEXT_LIMIT = 8192

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def canonical(value: object) -> bytes:
    """The bytes of a plain JSON value; ValueError or TypeError if it is none."""
    return _encode(value).encode("ascii")


def plain(value: object, depth: int = DEPTH_LIMIT) -> object:
    """The same as JSON can hold it: what it cannot (infinities, sets, objects, what lies deep) becomes null or text.

    An entry is kept in a lesser form rather than lost.
    """
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)[:TEXT_LIMIT]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return "(too deep)"
    if isinstance(value, Mapping):
        return {str(name)[:TEXT_LIMIT]: plain(one, depth - 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth - 1) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(str(one)[:TEXT_LIMIT] for one in value)
    return str(value)[:TEXT_LIMIT]
