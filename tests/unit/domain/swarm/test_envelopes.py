from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.swarm.envelopes import (
    WINDOW,
    MessageGate,
    MessageNumbers,
    MessageRefused,
    Reason,
    ReplayWindow,
    Sender,
)
from edgemind.domain.swarm.messages import Acknowledge, Announce, Wake
from edgemind.domain.swarm.records import KEEP, Ballot, Fence, Outcome

SITES = ("site-a", "site-b", "site-c")
FENCE = Fence(1, 7)
WAKE = Wake("site-a", FENCE, (KEEP,), SITES)


def gate(site: str = "site-b") -> MessageGate:
    return MessageGate("north", site, lambda: SITES)


def sender(site: str = "site-a", incarnation: int = 10, metro: str = "north") -> Sender:
    return Sender(metro, site, MessageNumbers(incarnation))


def refusal(gate: MessageGate, document: Any) -> MessageRefused:
    with pytest.raises(MessageRefused) as caught:
        gate.admit(document)
    return caught.value


def test_a_message_of_a_neighbour_is_taken() -> None:
    assert gate().admit(sender().envelope("site-b", WAKE)) == WAKE


def test_each_message_has_a_number_whoever_gets_it() -> None:
    neighbour = sender()
    assert [neighbour.envelope(site, WAKE)["seq"] for site in ("site-b", "site-c", "site-b")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("document", "named", "why"),
    [
        (sender(metro="south").envelope("site-b", WAKE), "unknown", "metro 'south'"),
        (sender("site-x").envelope("site-b", WAKE), "unknown", "expects no messages from 'site-x'"),
        (sender("site-b").envelope("site-b", WAKE), "unknown", "expects no messages from 'site-b'"),
        (sender().envelope("site-c", WAKE), "site-a", "for 'site-c'"),
        (sender("site-c").envelope("site-b", WAKE), "site-c", "by 'site-a'"),
        (
            sender().envelope("site-b", Acknowledge("site-a", Ballot(FENCE, "site-c", (KEEP.id,)))),
            "site-a",
            "ballot of 'site-c'",
        ),
        (sender("site-c").envelope("site-b", Announce("site-a", FENCE, Outcome(KEEP))), "site-c", "by 'site-a'"),
    ],
)
def test_foreign_messages(document: dict[str, Any], named: str, why: str) -> None:
    refused = refusal(gate(), document)
    assert (refused.reason, refused.sender) == (Reason.FOREIGN, named)
    assert why in str(refused)


def test_an_announcement_may_come_from_any_site_under_its_own_name() -> None:
    announce = Announce("site-c", FENCE, Outcome(KEEP))
    assert gate().admit(sender("site-c").envelope("site-b", announce)) == announce


def test_who_may_send_is_asked_each_time() -> None:
    sites = {"site-b"}
    door = MessageGate("north", "site-b", lambda: sites)
    assert refusal(door, sender().envelope("site-b", WAKE)).reason is Reason.FOREIGN
    sites.add("site-a")
    door.admit(sender().envelope("site-b", WAKE))


def test_a_replayed_message() -> None:
    door, document = gate(), sender().envelope("site-b", WAKE)
    door.admit(document)
    assert refusal(door, document).reason is Reason.REPLAYED


def test_what_an_earlier_start_of_a_controller_sent_is_replayed() -> None:
    door = gate()
    door.admit(sender(incarnation=11).envelope("site-b", WAKE))
    refused = refusal(door, sender(incarnation=10).envelope("site-b", WAKE))
    assert refused.reason is Reason.REPLAYED
    assert "later start" in str(refused)


def test_senders_are_numbered_apart_and_a_reload_forgets_nothing() -> None:
    door, document = gate(), sender().envelope("site-b", WAKE)
    door.admit(document)
    door.admit(sender("site-c").envelope("site-b", Announce("site-c", FENCE, Outcome(KEEP))))
    reloaded = gate()
    reloaded.inherit(door)
    assert refusal(reloaded, document).reason is Reason.REPLAYED


def test_a_refused_message_uses_up_no_number() -> None:
    """A message for another site must not make the one for this site, with the same number, look replayed."""
    door = gate()
    refusal(door, sender().envelope("site-c", WAKE))
    door.admit(sender().envelope("site-b", WAKE))


@pytest.mark.parametrize(
    ("changes", "named", "field"),
    [
        ({"v": 0}, "site-a", "envelope.v"),
        ({"sender": None}, "unknown", "envelope.sender"),
        ({"sender": {"a": 1}}, "unknown", "envelope.sender"),
        ({"metro": 3}, "site-a", "envelope.metro"),
        ({"seq": -1}, "site-a", "envelope.seq"),
        ({"seq": 2**60}, "site-a", "envelope.seq"),
        ({"incarnation": 2**60}, "site-a", "envelope.incarnation"),
        ({"message": None}, "site-a", "message must be an object"),
        ({"message": {"v": 1, "kind": "gossip"}}, "site-a", "message.kind"),
    ],
)
def test_unreadable_messages(changes: dict[str, Any], named: str, field: str) -> None:
    refused = refusal(gate(), {**sender().envelope("site-b", WAKE), **changes})
    assert (refused.reason, refused.sender) == (Reason.UNREADABLE, named)
    assert field in str(refused)


def test_what_is_no_envelope_at_all_is_unreadable() -> None:
    assert refusal(gate(), ["site-a"]).reason is Reason.UNREADABLE


@given(st.lists(st.integers(0, 3 * WINDOW), max_size=60))
def test_a_window_takes_each_number_once_and_none_that_is_too_old(numbers: list[int]) -> None:
    window, taken, newest = ReplayWindow(1), set[int](), 0
    for number in numbers:
        expected = number not in taken and number > newest - WINDOW
        assert window.take(number) is expected
        if expected:
            taken.add(number)
            newest = max(newest, number)
