"""A round's parts and messages as JSON documents: on the wire between controllers, in beacons, in journals.

Version 1. Readers ignore fields they do not know and refuse what they cannot act on (an action or a kind of message of
a newer version): all that a site loses by that is speed. Everything is bounded, whoever sent it.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from edgemind.domain.swarm.messages import Acknowledge, Announce, Hint, Message, Wake
from edgemind.domain.swarm.records import (
    KEEP,
    RANKED_LIMIT,
    Action,
    Ballot,
    Candidate,
    CurrentRound,
    Fence,
    Outcome,
    RoundState,
)
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.errors import PermanentError

MESSAGE_VERSION = 1
MESSAGE_LIMIT_BYTES = 256 * 1024
"""Four times what a round of `ROSTER_LIMIT` sites takes: they have 63 characters each at most."""
ROSTER_LIMIT = 1000
"""As many sites as a configuration may declare."""
CANDIDATES_LIMIT = 32
CANDIDATE_ID_LIMIT = 512
TARGET_LIMIT = 1_000_000
COUNT_LIMIT = 2**53
"""Whole numbers above it do not survive every JSON reader. A fence of this size is no fence but an attack."""

Document = dict[str, Any]
_Kind = TypeVar("_Kind", bound=StrEnum)


def message_document(message: Message) -> Document:
    """The document that `parse_message` reads."""
    head: Document = {"v": MESSAGE_VERSION, "kind": _KINDS[type(message)], "sender": message.sender}
    match message:
        case Wake(_, fence, candidates, roster):
            parts = [candidate_document(candidate) for candidate in candidates]
            return {**head, **fence_document(fence), "candidates": parts, "roster": list(roster)}
        case Hint(_, round_):
            return {**head, "round": round_document(round_)}
        case Acknowledge(_, ballot):
            return {**head, "ballot": ballot_document(ballot)}
        case Announce(_, fence, outcome):
            return {**head, **fence_document(fence), "outcome": outcome_document(outcome)}


def parse_message(document: object) -> Message:
    """A message from its JSON document; DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "message")
    if fields.count("v") < MESSAGE_VERSION:
        raise DocumentInvalid(f"message.v must be {MESSAGE_VERSION} or newer: upgrade the site that sent it")
    read = _READERS.get(fields.text("kind"))
    if read is None:
        raise fields.invalid("kind", f"one of {', '.join(_READERS)}")
    return read(fields)


def _read_wake(fields: Fields) -> Wake:
    candidates, roster = _ballot_paper(fields), fields.texts("roster", ROSTER_LIMIT)
    return Wake(fields.text("sender"), parse_fence(fields), candidates, roster)


def _read_hint(fields: Fields) -> Hint:
    return Hint(fields.text("sender"), parse_round(fields.required_object("round")))


def _read_acknowledge(fields: Fields) -> Acknowledge:
    return Acknowledge(fields.text("sender"), parse_ballot(fields.required_object("ballot")))


def _read_announce(fields: Fields) -> Announce:
    return Announce(fields.text("sender"), parse_fence(fields), parse_outcome(fields.required_object("outcome")))


_KINDS: Mapping[type, str] = {Wake: "wake", Hint: "hint", Acknowledge: "acknowledge", Announce: "announce"}
_READERS: Mapping[str, Callable[[Fields], Message]] = {
    "wake": _read_wake,
    "hint": _read_hint,
    "acknowledge": _read_acknowledge,
    "announce": _read_announce,
}


# What messages consist of


def fence_document(fence: Fence) -> Document:
    return {"epoch": fence.epoch, "round": fence.round}


def parse_fence(fields: Fields) -> Fence:
    """From the fields `epoch` and `round` of any document."""
    return Fence(fields.count("epoch", limit=COUNT_LIMIT), fields.count("round", limit=COUNT_LIMIT))


def candidate_document(candidate: Candidate) -> Document:
    """Without what a candidate has not: KEEP is its action alone."""
    parts = {"site": candidate.site, "target": candidate.target, "of": candidate.of, "model": candidate.model}
    return {"action": candidate.action.value, **{name: value for name, value in parts.items() if value}}


def parse_candidate(fields: Fields) -> Candidate:
    action = _one_of(Action, fields, "action")
    if action is Action.KEEP:
        return KEEP
    return Candidate(
        action,
        fields.text("site"),
        fields.count("target", 0, TARGET_LIMIT),
        fields.text_or_none("of") or "",
        fields.text_or_none("model") or "",
    )


def outcome_document(outcome: Outcome) -> Document:
    return {"candidate": candidate_document(outcome.candidate), "timed_out": outcome.timed_out}


def parse_outcome(fields: Fields) -> Outcome:
    outcome = Outcome(parse_candidate(fields.required_object("candidate")), fields.flag("timed_out", False))
    if outcome.timed_out and outcome.candidate != KEEP:
        raise fields.invalid("timed_out", "false unless the round kept everything")
    return outcome


def ballot_document(ballot: Ballot) -> Document:
    return {**fence_document(ballot.fence), "site": ballot.site, "ranking": list(ballot.ranking)}


def parse_ballot(fields: Fields) -> Ballot:
    ranking = fields.texts("ranking", RANKED_LIMIT, CANDIDATE_ID_LIMIT)
    return Ballot(parse_fence(fields), fields.text("site"), ranking)


def round_document(current: CurrentRound) -> Document:
    outcome = current.outcome
    return {
        **fence_document(current.fence),
        "state": current.state.value,
        "candidates": [candidate_document(candidate) for candidate in current.candidates],
        "roster": list(current.roster),
        "quorum": current.quorum,
        "nonce": current.nonce or None,
        "decision_nonce": current.decision_nonce,
        "outcome": None if outcome is None else outcome_document(outcome),
        "voters": list(current.voters),
        "claims": dict(current.claims),
    }


def parse_round(fields: Fields) -> CurrentRound:
    """DocumentInvalid too for a round that no correct member can have written."""
    outcome = fields.object_or_none("outcome")
    nonce = fields.text_or_none("nonce") or ""
    current = CurrentRound(
        parse_fence(fields),
        _one_of(RoundState, fields, "state"),
        _ballot_paper(fields) if nonce else (),
        fields.texts("roster", ROSTER_LIMIT),
        fields.count("quorum", limit=ROSTER_LIMIT),
        nonce,
        fields.text_or_none("decision_nonce"),
        None if outcome is None else parse_outcome(outcome),
        fields.texts("voters", ROSTER_LIMIT),
        fields.counts("claims"),
    )
    try:
        current.validate()
    except PermanentError as exc:
        raise DocumentInvalid(str(exc)) from exc
    return current


def _ballot_paper(fields: Fields) -> tuple[Candidate, ...]:
    """Different candidates, KEEP among them: without it a round without a quorum could not end."""
    candidates = tuple(parse_candidate(each) for each in fields.listed("candidates"))
    if len(candidates) > CANDIDATES_LIMIT or len(set(candidates)) < len(candidates) or KEEP not in candidates:
        raise fields.invalid("candidates", f"at most {CANDIDATES_LIMIT} different candidates, keep among them")
    return candidates


def _one_of(kinds: type[_Kind], fields: Fields, name: str) -> _Kind:
    text = fields.text(name)
    try:
        return kinds(text)
    except ValueError as exc:
        raise fields.invalid(name, f"one of {', '.join(kinds)}") from exc
