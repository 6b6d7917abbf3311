"""Numbers in documents of other processes: whatever JSON can write down is read, or refused with its place."""

import json

import pytest

from edgemind.domain.advice.documents import parse_book
from edgemind.domain.wire import DocumentInvalid, Fields

VAST = "1" + "0" * 400
"""Python's JSON reads it as a whole number that no float can hold."""


@pytest.mark.parametrize("text", [VAST, f"-{VAST}", "1e999", "-1", "NaN", "true", '"1"', "null"])
def test_what_is_no_number_of_ours_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(DocumentInvalid, match=r"load\.demand must be a number >= 0"):
        Fields(json.loads(f'{{"demand": {text}}}'), "load").number("demand")


@pytest.mark.parametrize(("text", "expected"), [("0", 0.0), ("1.5", 1.5), ("1e308", 1e308)])
def test_a_number(text: str, expected: float) -> None:
    assert Fields(json.loads(f'{{"demand": {text}}}'), "load").number("demand") == expected


def test_a_verdicts_numbers_are_those_that_a_float_can_hold() -> None:
    change = {
        "v": 1, "number": 1, "state": "proposed", "proposed_by": "advisor", "created_ms": 1, "expires_ms": 2,
        "replay": {"harmless": True, "numbers": json.loads(f'{{"relief_after": -0.5, "vast": {VAST}, "not": NaN}}')},
    }  # fmt: skip
    book = parse_book({"v": 1, "version": 1, "paused": False, "last_number": 1, "changes": [change]})
    assert book.changes[0].verdict.numbers == {"relief_after": -0.5}
