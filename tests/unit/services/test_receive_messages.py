import logging
from typing import Any

import orjson
import pytest

from edgemind.domain.swarm.documents import MESSAGE_LIMIT_BYTES
from edgemind.domain.swarm.envelopes import MessageGate, MessageNumbers, MessageRefused, Reason, Sender
from edgemind.domain.swarm.messages import Wake
from edgemind.domain.swarm.records import KEEP, Fence
from edgemind.domain.swarm.signing import FleetKeys
from edgemind.services.receive_messages import MessageInbox

KEYS = FleetKeys(["secret"])
SITES = ("site-a", "site-b")
WAKE = Wake("site-a", Fence(1, 7), (KEEP,), SITES)


def inbox() -> MessageInbox:
    return MessageInbox(KEYS, MessageGate("north", "site-b", lambda: SITES))


def body(**changes: Any) -> bytes:
    document = Sender("north", "site-a", MessageNumbers(1)).envelope("site-b", WAKE)
    return orjson.dumps({**document, **changes})


def test_a_signed_message_is_opened() -> None:
    assert inbox().open(KEYS.sign(body()), body()) == WAKE


@pytest.mark.parametrize(
    ("signature", "sent", "sender", "reason"),
    [
        (None, body(), "site-a", Reason.FORGED),
        (FleetKeys(["other"]).sign(body()), body(), "site-a", Reason.FORGED),
        (KEYS.sign(body()), body(seq=9), "site-a", Reason.FORGED),
        (KEYS.sign(body()), body(sender="site-x"), "unknown", Reason.FORGED),
        (KEYS.sign(body()), b"{", "unknown", Reason.FORGED),
        (KEYS.sign(b"{"), b"{", "unknown", Reason.UNREADABLE),
        (KEYS.sign(b"[" * 5000), b"[" * 5000, "unknown", Reason.UNREADABLE),
        (KEYS.sign(body(metro="south")), body(metro="south"), "unknown", Reason.FOREIGN),
        (KEYS.sign(b" " * MESSAGE_LIMIT_BYTES + b" "), b" " * MESSAGE_LIMIT_BYTES + b" ", "unknown", Reason.TOO_LARGE),
    ],
)
def test_what_is_refused_has_a_name_and_is_counted(
    signature: str | None, sent: bytes, sender: str, reason: Reason
) -> None:
    door = inbox()
    with pytest.raises(MessageRefused):
        door.open(signature, sent)
    assert door.refused == {(sender, reason): 1}


def test_a_refusal_is_told_once_for_each_sender_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    door, replayed = inbox(), body()
    door.open(KEYS.sign(replayed), replayed)
    with caplog.at_level(logging.WARNING):
        for signature in (None, None, KEYS.sign(replayed), KEYS.sign(replayed), KEYS.sign(replayed)):
            with pytest.raises(MessageRefused):
                door.open(signature, replayed)

    assert door.refused == {("site-a", Reason.FORGED): 2, ("site-a", Reason.REPLAYED): 3}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "a message from site-a is forged",
        "a message from site-a is replayed",
    ]


def test_a_reload_goes_on_counting_and_refusing() -> None:
    door = inbox()
    door.open(KEYS.sign(body()), body())
    after = inbox()
    after.inherit(door)
    with pytest.raises(MessageRefused):
        after.open(KEYS.sign(body()), body())
    assert door.refused == after.refused == {("site-a", Reason.REPLAYED): 1}
