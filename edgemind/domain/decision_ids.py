"""Decision ids (`dec-<site>-<worker>-<16 hex>`) tell where a decision is kept; cursors tell where a page ended."""

import re
from dataclasses import dataclass

from edgemind.domain.wire import DocumentInvalid

_DECISION_ID = re.compile(r"dec-(?P<site>.{1,200})-(?P<worker>[0-9]{1,4})-[0-9a-f]{16}", re.ASCII)
_SAMPLE_DIGITS = 8
_SAMPLE_RANGE = 16**_SAMPLE_DIGITS
_CURSOR = re.compile(r"(?P<at_ms>[0-9]{1,16})\.(?P<id>[A-Za-z0-9._-]{1,256})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DecisionPlace:
    """The site and the gateway worker that made a decision and can explain it."""

    site: str
    worker: int


def locate_decision(decision_id: str) -> DecisionPlace | None:
    """Where a decision was made, or None if this is no decision id. Site names may contain dashes."""
    match = _DECISION_ID.fullmatch(decision_id)
    return DecisionPlace(match["site"], int(match["worker"])) if match else None


def is_sampled(decision_id: str, ratio: float) -> bool:
    """Whether an id belongs to a sample of this size: everywhere the same ids, and more of them in a larger sample."""
    return ratio > 0.0 and int(decision_id[-_SAMPLE_DIGITS:], 16) < ratio * _SAMPLE_RANGE


def format_cursor(at_ms: int, decision_id: str) -> str:
    return f"{at_ms}.{decision_id}"


def parse_cursor(cursor: str) -> tuple[int, str]:
    """(at_ms, id) of the last decision on the page before; DocumentInvalid for anything a page never gave out."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise DocumentInvalid("cursor is not one that this API gave out: pass the `next_cursor` of the last page")
    return int(match["at_ms"]), match["id"]
