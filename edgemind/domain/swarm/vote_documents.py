"""Candidates, outcomes and votes as JSON documents, for records of rounds."""

from collections.abc import Mapping
from typing import Any

from edgemind.domain.swarm.documents import CANDIDATE_ID_LIMIT
from edgemind.domain.swarm.records import Action, Candidate, Fence, Outcome
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy
from edgemind.domain.swarm.votes import ToolCall, View, Vote
from edgemind.domain.wire import LONG_TEXT_LIMIT, DocumentInvalid, Fields

_DEPTH_LIMIT = 8
_POLICY = VotingPolicy()


def parse_fence(text: str) -> Fence:
    """`1.17`; DocumentInvalid for anything that no fence looks like."""
    epoch, dot, number = text.partition(".")
    if not (dot and all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (epoch, number))):
        raise DocumentInvalid("a round is named by its epoch and its number, such as 1.17")
    return Fence(int(epoch), int(number))


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "action": candidate.action.value,
        "site": candidate.site,
        "target": candidate.target,
        "of": candidate.of,
        "model": candidate.model,
    }


def read_candidate(fields: Fields) -> Candidate:
    action = fields.text("action")
    if action not in list(Action):
        known = ", ".join(one.value for one in Action)
        raise DocumentInvalid(f"{action} is no action known here ({known}): upgrade this side")
    site, target = fields.long_text("site", ""), fields.count("target", 0)
    return Candidate(Action(action), site, target, fields.long_text("of", ""), fields.long_text("model", ""))


def outcome_document(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {**candidate_document(outcome.candidate), "timed_out": outcome.timed_out}


def read_outcome(fields: Fields | None) -> Outcome | None:
    return None if fields is None else Outcome(read_candidate(fields), fields.flag("timed_out", False))


def vote_document(vote: Vote) -> dict[str, Any]:
    view = vote.view
    return {
        "ranking": list(vote.ranking),
        "voter": vote.voter,
        "took_ms": vote.took_ms,
        "view": {
            "loads": {site: _load_document(load) for site, load in view.loads.items()},
            "policy": {
                "hysteresis_ratio": view.policy.hysteresis_ratio,
                "cooldown_ms": view.policy.cooldown_ms,
            },
            "since_change_ms": view.since_change_ms,
        },
        "tool_calls": [_call_document(call) for call in vote.tool_calls],
    }


def read_vote(fence: Fence, site: str, fields: Fields) -> Vote:
    view = fields.object_or_empty("view")
    policy = view.object_or_empty("policy")
    return Vote(
        fence,
        site,
        fields.texts("ranking", chars=CANDIDATE_ID_LIMIT),
        View(
            {name: _read_load(load) for name, load in view.objects("loads").items()},
            VotingPolicy(
                policy.number("hysteresis_ratio", _POLICY.hysteresis_ratio),
                policy.number("cooldown_ms", _POLICY.cooldown_ms),
            ),
            view.number_or_none("since_change_ms"),
        ),
        fields.text("voter"),
        fields.number("took_ms", 0.0),
        tuple(_read_call(call) for call in fields.listed("tool_calls")),
    )


def _load_document(load: SiteLoad) -> dict[str, Any]:
    return {"slots": load.slots, "demand": load.demand, "replicas": load.replicas, "up": load.up}


def _read_load(fields: Fields) -> SiteLoad:
    return SiteLoad(
        fields.count("slots"), fields.number("demand"), fields.count("replicas", 1), fields.flag("up", True)
    )


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
