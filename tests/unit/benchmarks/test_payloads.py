import json

import pytest

from benchmarks.payloads import (
    CHUNKS,
    JSON_ANSWER,
    JSON_REQUEST,
    STREAM_EVENTS,
    STREAM_REQUEST,
    is_right_answer,
    is_right_stream,
    json_exchange,
    wants_stream,
)


def test_sizes_are_those_of_ordinary_traffic():
    assert len(STREAM_EVENTS) == CHUNKS == 20
    assert 350 <= len(JSON_ANSWER) <= 450
    assert 1000 <= len(JSON_REQUEST) <= 1500


def test_the_mock_knows_both_requests_and_refuses_a_changed_one():
    assert wants_stream(JSON_REQUEST) is False
    assert wants_stream(STREAM_REQUEST) is True
    assert wants_stream(JSON_REQUEST.replace(b"bearing", b"housing")) is None
    assert wants_stream(JSON_REQUEST[:-1]) is None
    assert wants_stream(b"[]") is None


def test_a_peer_may_serialize_again_but_not_change_the_text():
    again = json.dumps({**json.loads(JSON_ANSWER), "extra": 1}, indent=1).encode()
    assert is_right_answer(JSON_ANSWER)
    assert is_right_answer(again)
    assert not is_right_answer(again.replace(b"running", b"standing"))
    assert not is_right_answer(b'{"error": {"message": "no"}}')


@pytest.mark.parametrize(
    "broken",
    [
        b"".join(STREAM_EVENTS[:-1]),
        b"".join(STREAM_EVENTS[1:]),
        b"".join(STREAM_EVENTS)[:-16],
        b"",
        b"data: [DONE]\n\n",
    ],
)
def test_a_stream_that_lost_something_is_wrong(broken):
    assert not is_right_stream(broken)


def test_a_stream_serialized_again_is_right():
    events = [event.partition(b"data: [DONE]")[0] for event in STREAM_EVENTS]
    again = [b"data: " + json.dumps(json.loads(event[6:]), indent=None).encode() + b"\n\n" for event in events]
    assert b"".join(again) != b"".join(STREAM_EVENTS)
    assert is_right_stream(b"".join(again) + b"data: [DONE]\n\n")


def test_the_request_carries_the_key_and_its_length():
    request = json_exchange("127.0.0.1:1", "em_key").request
    head, _, body = request.partition(b"\r\n\r\n")
    assert b"Authorization: Bearer em_key\r\n" in head
    assert head.endswith(b"Content-Length: %d" % len(body))
