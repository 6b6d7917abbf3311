import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.swarm.documents import (
    CANDIDATES_LIMIT,
    COUNT_LIMIT,
    MESSAGE_LIMIT_BYTES,
    ROSTER_LIMIT,
    message_document,
    parse_message,
    parse_round,
    round_document,
)
from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.records import KEEP, Action, Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.domain.wire import DocumentInvalid, Fields

SITES = ("site-a", "site-b", "site-c")
SHIFT = Candidate(Action.SHIFT, "site-b", 50, "site-a", "org/model-7b")
PAPER = (SHIFT, KEEP)
OPEN = CurrentRound(Fence(1, 7), RoundState.OPEN, PAPER, SITES, 2, "site-a/9/1")
DECIDED = replace(
    OPEN, state=RoundState.DECIDED, outcome=Outcome(SHIFT), voters=("site-a", "site-b"), decision_nonce="site-a/9/2",
    claims={"site-b": 4},
)  # fmt: skip

names = st.text(min_size=1, max_size=63)
counts = st.integers(0, COUNT_LIMIT)
fences = st.builds(Fence, counts, counts)
changes = st.builds(
    Candidate, st.sampled_from([action for action in Action if action is not Action.KEEP]), names,
    st.integers(0, 1000), st.one_of(st.just(""), names), st.one_of(st.just(""), names),
)  # fmt: skip
papers = st.lists(changes, max_size=10, unique=True).map(lambda found: (*found, KEEP))
rosters = st.lists(names, min_size=1, max_size=60, unique=True).map(tuple)
outcomes = st.one_of(st.builds(Outcome, changes), st.builds(Outcome, st.just(KEEP), st.booleans()))
rankings = st.lists(st.text(min_size=1, max_size=400), max_size=5, unique=True).map(tuple)


@st.composite
def open_rounds(draw: st.DrawFn) -> CurrentRound:
    roster = draw(rosters)
    quorum = draw(st.integers(1, len(roster)))
    return CurrentRound(draw(fences), RoundState.OPEN, draw(papers), roster, quorum, draw(names))


messages = st.one_of(
    st.builds(Wake, names, fences, papers, rosters),
    st.builds(Hint, names, open_rounds()),
    st.builds(Acknowledge, names, st.builds(Ballot, fences, names, rankings)),
    st.builds(Announce, names, fences, outcomes),
)


@given(messages)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert parse_message(json.loads(json.dumps(message_document(message)))) == message


@pytest.mark.parametrize("current", [OPEN, DECIDED, CurrentRound(Fence(2, 0), RoundState.DECIDED)])
def test_a_round_survives_the_wire_in_every_state(current: CurrentRound) -> None:
    assert parse_round(Fields(json.loads(json.dumps(round_document(current))), "round")) == current


def test_the_largest_metro_fits_into_a_message() -> None:
    roster = tuple(f"site-{k:058d}" for k in range(ROSTER_LIMIT))
    model = "m" * 200
    paper = (*(Candidate(Action.SHIFT, site, 50, roster[0], model) for site in roster[: CANDIDATES_LIMIT - 1]), KEEP)
    hint = Hint(roster[0], CurrentRound(Fence(1, 1), RoundState.OPEN, paper, roster, 501, "n" * 100))
    text = json.dumps(message_document(hint))

    assert len(text) < MESSAGE_LIMIT_BYTES
    assert parse_message(json.loads(text)) == hint


def test_what_a_newer_sender_adds_is_ignored() -> None:
    newer = message_document(Hint("site-a", OPEN))
    newer.update(v=2, tint="blue")
    newer["round"]["mood"] = "good"
    newer["round"]["candidates"][0]["cost"] = 3

    assert parse_message(newer) == Hint("site-a", OPEN)


def without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


HINT = message_document(Hint("site-a", OPEN))
WAKE = message_document(Wake("site-a", Fence(1, 7), PAPER, SITES))
ACK = message_document(Acknowledge("site-b", Ballot(Fence(1, 7), "site-b", (SHIFT.id, KEEP.id))))
ANNOUNCE = message_document(Announce("site-a", Fence(1, 7), Outcome(SHIFT)))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ([], "message must"),
        ({**WAKE, "v": 0}, "message.v"),
        ({**WAKE, "kind": "gossip"}, "message.kind"),
        (without(WAKE, "sender"), "message.sender"),
        (without(WAKE, "epoch"), "message.epoch"),
        ({**WAKE, "round": -1}, "message.round"),
        ({**WAKE, "round": COUNT_LIMIT + 1}, "message.round"),
        ({**WAKE, "round": True}, "message.round"),
        ({**WAKE, "roster": "site-a"}, "message.roster"),
        ({**WAKE, "roster": ["site-a", "site-a"]}, "message.roster"),
        ({**WAKE, "roster": ["site-a", 3]}, "message.roster"),
        ({**WAKE, "roster": [["site-a"]]}, "message.roster"),
        ({**WAKE, "roster": [f"s{k}" for k in range(ROSTER_LIMIT + 1)]}, "message.roster"),
        ({**WAKE, "candidates": []}, "message.candidates"),
        ({**WAKE, "candidates": [{"action": "keep"}] * 2}, "message.candidates"),
        ({**WAKE, "candidates": [{"action": "explode", "site": "site-a"}]}, r"message.candidates\[0\].action"),
        ({**WAKE, "candidates": [{"action": "drain"}]}, r"message.candidates\[0\].site"),
        ({**WAKE, "candidates": [{"action": "drain", "site": "a", "target": 10**9}]}, r"candidates\[0\].target"),
        (
            {**WAKE, "candidates": [{"action": "drain", "site": f"s{k}"} for k in range(99)] + [{"action": "keep"}]},
            "message.candidates",
        ),
        (without(HINT, "round"), "message.round"),
        ({**HINT, "round": {**HINT["round"], "state": "ajar"}}, "message.round.state"),
        ({**HINT, "round": {**HINT["round"], "quorum": 4}}, "quorum does not fit"),
        ({**HINT, "round": {**HINT["round"], "claims": {"site-a": "x"}}}, "message.round.claims.site-a"),
        ({**ACK, "ballot": None}, "message.ballot"),
        ({**ACK, "ballot": {**ACK["ballot"], "ranking": list("abcdef")}}, "message.ballot.ranking"),
        ({**ANNOUNCE, "outcome": {"candidate": {"action": "keep"}, "timed_out": 1}}, "message.outcome.timed_out"),
        (
            {**ANNOUNCE, "outcome": {"candidate": {"action": "drain", "site": "a"}, "timed_out": True}},
            "message.outcome.timed_out",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_the_name_of_its_field(document: Any, field: str) -> None:
    with pytest.raises(DocumentInvalid, match=field):
        parse_message(document)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from([HINT, WAKE, ACK, ANNOUNCE]), st.data())
def test_any_other_value_in_any_field_is_read_or_refused(document: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(document)))
    damaged = {**document, name: data.draw(json_values)}
    try:
        parse_message(damaged)
    except DocumentInvalid as exc:
        assert str(exc)  # noqa: PT017
