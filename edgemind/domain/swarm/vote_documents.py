"""Candidates, outcomes and votes as JSON documents, for records of rounds."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict
from dataclasses import fields as dataclass_fields
from typing import Any, TypeVar

from edgemind.domain.swarm import documents
from edgemind.domain.swarm.documents import CANDIDATE_ID_LIMIT
from edgemind.domain.swarm.records import Candidate, Fence, Outcome
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.swarm.votes import ToolCall, View, Vote
from edgemind.domain.wire import LONG_TEXT_LIMIT, DocumentInvalid, Fields

FENCE_PATTERN = r"^[0-9]{1,18}\.[0-9]{1,18}$"
"""What `fence_from_text` reads, for interfaces that say so beforehand."""
_DEPTH_LIMIT = 8
_READERS: Mapping[Any, Callable[[Fields, str], Any]] = {
    int: Fields.count,
    float: Fields.number,
    bool: lambda fields, name: fields.flag(name, False),
}
_Plain = TypeVar("_Plain", SiteLoad, VotingPolicy)


def fence_from_text(text: str) -> Fence:
    """`1.17`; DocumentInvalid for anything that no fence looks like."""
    epoch, dot, number = text.partition(".")
    if not (dot and all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (epoch, number))):
        raise DocumentInvalid("a round is named by its epoch and its number, such as 1.17")
    return Fence(int(epoch), int(number))


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """As in messages, and its id: ballots name candidates by it."""
    return {"id": candidate.id, **documents.candidate_document(candidate)}


def outcome_document(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {"candidate": candidate_document(outcome.candidate), "timed_out": outcome.timed_out}


def vote_document(vote: Vote) -> dict[str, Any]:
    view = vote.view
    return {
        "ranking": list(vote.ranking),
        "voter": vote.voter,
        "took_ms": vote.took_ms,
        "view": {
            "loads": {site: asdict(load) for site, load in view.loads.items()},
            "policy": asdict(view.policy),
            "since_change_ms": view.since_change_ms,
        },
        "tool_calls": [_call_document(call) for call in vote.tool_calls],
    }


def read_vote(fence: Fence, site: str, fields: Fields) -> Vote:
    view = fields.object_or_empty("view")
    return Vote(
        fence,
        site,
        fields.texts("ranking", chars=CANDIDATE_ID_LIMIT),
        View(
            {name: _read_plain(SiteLoad, load) for name, load in view.objects("loads").items()},
            _read_plain(VotingPolicy, view.object_or_empty("policy")),
            view.number_or_none("since_change_ms"),
        ),
        fields.text("voter"),
        fields.number("took_ms", 0.0),
        tuple(_read_call(call) for call in fields.listed("tool_calls")),
    )


def _read_plain(kind: type[_Plain], fields: Fields) -> _Plain:
    """Any dataclass of numbers and flags: what a voter goes by must come back whole, or a replay would differ."""
    given: dict[str, Any] = {}
    for one in dataclass_fields(kind):
        if one.default is MISSING or fields.anything(one.name) is not None:
            given[one.name] = _READERS[one.type](fields, one.name)
    return kind(**given)


def _call_document(call: ToolCall) -> dict[str, Any]:
    return {
        "role": call.role,
        "tool": call.tool,
        "arguments": plain(call.arguments),
        "result": plain(call.result),
        "took_ms": call.took_ms,
        "failed": call.failed,
    }


def _read_call(fields: Fields) -> ToolCall:
    arguments = fields.anything("arguments")
    return ToolCall(
        fields.text("role"),
        fields.text("tool"),
        arguments if isinstance(arguments, Mapping) else {},
        fields.anything("result"),
        fields.number("took_ms", 0.0),
        None if fields.anything("failed") is None else fields.long_text("failed"),
    )


def plain(value: object, depth: int = 0) -> object:
    """JSON values as they are; of anything else, and of what is nested too deep or too long, a short text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < _DEPTH_LIMIT and isinstance(value, Mapping):
        return {str(name): plain(one, depth + 1) for name, one in value.items()}
    if depth < _DEPTH_LIMIT and isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
    return str(value)[:LONG_TEXT_LIMIT]
