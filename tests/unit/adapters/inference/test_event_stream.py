"""Frames out of bytes as they come, and damage that is noticed."""

import pytest

from edgemind.adapters.inference.event_stream import Frame, FrameDamaged, FrameReader
from tests.support.engines import converse_frames as made

EVENT = made.event("contentBlockDelta", {"delta": {"text": "hé"}})
THROTTLED = made.exception("throttlingException", "slow down")


def test_frames_come_whole_however_the_bytes_come() -> None:
    whole = EVENT + THROTTLED + made.error("InternalError", "no idea")
    expected = [
        Frame("event", "contentBlockDelta", b'{"delta": {"text": "h\\u00e9"}}'),
        Frame("exception", "throttlingException", b'{"message": "slow down"}'),
        Frame("error", "InternalError", b'{"message": "no idea"}'),
    ]
    for step in (1, 7, len(whole)):
        reader = FrameReader()
        pieces = [whole[start : start + step] for start in range(0, len(whole), step)]
        assert [frame for piece in pieces for frame in reader.feed(piece)] == expected


@pytest.mark.parametrize("place", [0, 9, 20, len(EVENT) - 6, len(EVENT) - 1])
def test_one_bit_anywhere_is_noticed(place: int) -> None:
    damaged = EVENT[:place] + bytes([EVENT[place] ^ 4]) + EVENT[place + 1 :]
    with pytest.raises(FrameDamaged):
        # Whatever length the damage made of it, there are bytes enough.
        list(FrameReader().feed(damaged + b"\0" * 4096))


def test_what_came_before_the_damage_counts() -> None:
    frames = FrameReader().feed(EVENT + made.damaged(EVENT))
    assert next(frames).name == "contentBlockDelta"
    with pytest.raises(FrameDamaged):
        next(frames)
