"""A short run of what `python -m tests.support.fuzz` does at length."""

import json
from pathlib import Path
from random import Random

import pytest

from tests.support.fuzz import MORE_FILES, Conversation, Sender, fuzz, judge, markers_in, read_answers, target
from tests.support.fuzz import Report as FuzzReport

REQUESTS = 3000
GROWTH_MB = 20
"""Caches fill in so short a run; a longer one (see the module) levels off."""


@pytest.mark.parametrize("seed", [20261123])
def test_a_gateway_stays_itself_whatever_its_clients_send(tmp_path: Path, seed: int) -> None:
    with target(tmp_path) as (gateway, key):
        report = fuzz(gateway, key, REQUESTS, seed)
    assert report.faults == [], report
    assert report.requests >= REQUESTS
    assert report.canaries > 0
    assert report.in_flight == 0
    assert report.tasks[1] <= report.tasks[0]
    assert report.files[1] <= report.files[0] + MORE_FILES
    assert report.rss_mb[1] < report.rss_mb[0] + GROWTH_MB
    assert {200, 400, 413, 431} <= set(report.statuses), "it got through to all of them"


# The judge itself: one that lets everything pass would find nothing


def answer(marker: str, status: int = 200) -> bytes:
    body = json.dumps({"marker": marker}).encode()
    return b"HTTP/1.1 %d Whatever\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


def verdict(received: bytes, *expected: str, number: int = 7) -> str | None:
    conversation = Conversation([b"x"], 1, number, list(expected) or None)
    return judge(conversation, received, ended=True, statuses=FuzzReport().statuses)


def test_the_judge_tells_right_from_wrong() -> None:
    sender = Sender("key", Random(1))
    first, second, other = sender.marker(7, 0), sender.marker(7, 1), sender.marker(8, 0)
    assert verdict(answer(first) + answer(second), first, second) is None
    assert verdict(answer(first)) is None
    assert "expected" in str(verdict(answer(second) + answer(first), first, second))
    assert "expected" in str(verdict(answer(first), first, second))
    assert "expected" in str(verdict(answer(first, 503), first))
    assert "somebody else" in str(verdict(answer(other), first))
    assert "somebody else" in str(verdict(answer(first) + answer(other)))
    assert "out of order" in str(verdict(answer(second) + answer(first)))
    assert "answered {500}" in str(verdict(answer(first, 500)))
    assert "not an answer" in str(verdict(b"garbage\r\n\r\n"))


def test_answers_are_read_as_http_has_them() -> None:
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert read_answers(interim + chunked + answer("x"), at_end=True) == (
        [(200, b"ab"), (200, b'{"marker": "x"}')],
        None,
    )
    assert read_answers(chunked[:-3], at_end=True) == ([], None)
    assert markers_in(b'{"marker": "f1-0-00000000"}') == [], "a damaged marker is nobody's"


def test_the_same_seed_makes_the_same_conversations() -> None:
    def packets(seed: int) -> list[list[bytes]]:
        sender = Sender("key", Random(seed))
        return [sender.conversation(number).packets for number in range(100)]

    assert packets(1) == packets(1)
    assert packets(1) != packets(2)
