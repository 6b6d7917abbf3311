"""Changes of policy and their book as JSON documents: in stores, in the fleet API, in the audit journal.

Version 1. Readers ignore fields that they do not know, and default those that are missing.
"""

from collections.abc import Mapping
from typing import Any

from edgemind.domain.advice.changes import AdviceBook, ChangeState, Move, PolicyChange, PolicyInForce, Verdict
from edgemind.domain.advice.settings import DEFAULT_S
from edgemind.domain.wire import DocumentInvalid, Fields, is_number

CHANGE_VERSION = 1


def change_document(change: PolicyChange, state: ChangeState | None = None) -> dict[str, Any]:
    """The document that `parse_change` reads; `state` is what it is by now, if that is to be told instead."""
    return {
        "v": CHANGE_VERSION,
        "id": change.id,
        "number": change.number,
        "based_on": change.based_on,
        "changes": [{"field": one.path, "from": one.before, "to": one.after} for one in change.moves],
        "reason": change.reason,
        "proposed_by": change.proposed_by,
        "created_ms": change.created_ms,
        "for_s": change.for_s,
        "expires_ms": change.expires_ms,
        "state": (state or change.state).value,
        "decided_by": change.decided_by,
        "decided_ms": change.decided_ms,
        "ended_ms": change.ended_ms,
        "replay": verdict_document(change.verdict),
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "harmless": verdict.harmless,
        "reason": verdict.reason,
        "rounds": verdict.rounds,
        "numbers": dict(verdict.numbers),
    }


def parse_change(document: object) -> PolicyChange:
    """A change from its document; DocumentInvalid names the first field that is wrong."""
    return _read_change(Fields(document, "change"))


def book_document(book: AdviceBook) -> dict[str, Any]:
    return {
        "v": CHANGE_VERSION,
        "version": book.version,
        "paused": book.paused,
        "last_number": book.last_number,
        "changes": [change_document(change) for change in book.changes],
    }


def parse_book(document: object) -> AdviceBook:
    fields = Fields(document, "advice")
    return AdviceBook(
        _version(fields),
        fields.flag("paused", False),
        fields.count("last_number", 0),
        tuple(_read_change(change) for change in fields.listed("changes")),
    )


def policy_document(policy: PolicyInForce) -> dict[str, Any]:
    change = policy.change
    return {
        "v": CHANGE_VERSION,
        "version": policy.version,
        "paused": policy.paused,
        "change": None if change is None else change_document(change),
    }


def parse_policy(document: object) -> PolicyInForce:
    fields = Fields(document, "policy")
    change = fields.object_or_none("change")
    return PolicyInForce(
        _version(fields), fields.flag("paused", False), None if change is None else _read_change(change)
    )


def _version(fields: Fields) -> int:
    if fields.count("v") < CHANGE_VERSION:
        raise DocumentInvalid(f"v must be {CHANGE_VERSION} or newer: upgrade the site that wrote it")
    return fields.count("version")


def _read_change(fields: Fields) -> PolicyChange:
    if fields.count("v") < CHANGE_VERSION:
        raise DocumentInvalid(f"change.v must be {CHANGE_VERSION} or newer: upgrade the site that wrote it")
    state = fields.text("state")
    if state not in list(ChangeState):
        # A newer version may know more ends. To this one it is over: only what it knows to be accepted is followed.
        state = ChangeState.EXPIRED
    return PolicyChange(
        number=fields.count("number"),
        based_on=fields.count("based_on", 0),
        moves=tuple(
            Move(move.text("field"), move.number("from"), move.number("to")) for move in fields.listed("changes")
        ),
        reason=fields.long_text("reason", ""),
        proposed_by=fields.text("proposed_by"),
        created_ms=fields.count("created_ms"),
        for_s=fields.count("for_s", DEFAULT_S),
        expires_ms=fields.count("expires_ms"),
        verdict=_read_verdict(fields.object_or_empty("replay")),
        state=ChangeState(state),
        decided_by=fields.text_or_none("decided_by"),
        decided_ms=_count_or_none(fields, "decided_ms"),
        ended_ms=_count_or_none(fields, "ended_ms"),
    )


def _read_verdict(fields: Fields) -> Verdict:
    numbers = fields.anything("numbers")
    return Verdict(
        fields.flag("harmless", False),
        fields.long_text("reason", ""),
        fields.count("rounds", 0),
        {str(name): float(value) for name, value in numbers.items() if is_number(value)}
        if isinstance(numbers, Mapping)
        else {},
    )


def _count_or_none(fields: Fields, name: str) -> int | None:
    return None if fields.anything(name) is None else fields.count(name)
