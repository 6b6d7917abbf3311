"""Records of rounds as JSON documents: in journals, between controllers, in the fleet API, in files for `--file`.

Version 1. Readers ignore fields that they do not know, and default those that are missing.
"""

from typing import Any

from edgemind.domain.swarm.documents import CANDIDATE_ID_LIMIT, parse_candidate, parse_outcome
from edgemind.domain.swarm.history import (
    CallCount,
    EffectReport,
    Heard,
    Known,
    RecordedBallot,
    RoundRecord,
    Step,
)
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.vote_documents import (
    candidate_document,
    fence_from_text,
    outcome_document,
    read_vote,
    vote_document,
)
from edgemind.domain.wire import LONG_TEXT_LIMIT, DocumentInvalid, Fields

RECORD_VERSION = 1


def record_document(record: RoundRecord) -> dict[str, Any]:
    """The document that `parse_record` reads."""
    return {
        "v": RECORD_VERSION,
        "fence": str(record.fence),
        "metro": record.metro,
        "site": record.site,
        "at_ms": record.at_ms,
        "heard": record.heard.value,
        "breached": record.breached,
        "model": record.model,
        "measured": dict(record.measured),
        "opener": record.opener,
        "coordinator": record.coordinator,
        "candidates": [candidate_document(candidate) for candidate in record.candidates],
        "roster": list(record.roster),
        "quorum": record.quorum,
        "suspected": list(record.suspected),
        "ballots": {
            site: {"ranking": list(ballot.ranking), "ms": ballot.ms, "known": ballot.known.value}
            for site, ballot in record.ballots.items()
        },
        "voters": list(record.voters),
        "tally": dict(record.tally),
        "outcome": outcome_document(record.outcome),
        "decided_ms": record.decided_ms,
        "learned_ms": record.learned_ms,
        "ended": record.ended,
        "steps": [{"name": step.name, "ms": step.ms} for step in record.steps],
        "votes": {site: vote_document(vote) for site, vote in record.votes.items()},
        "effects": [effect_document(effect) for effect in record.effects],
        "trace_id": record.trace_id or None,
        "store_calls": {"count": record.calls.count, "hedged": record.calls.hedged},
    }


def parse_record(document: object) -> RoundRecord:
    """A record from its document; DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "round")
    if fields.count("v") < RECORD_VERSION:
        raise DocumentInvalid(f"round.v must be {RECORD_VERSION} or newer: upgrade the site that sent it")
    fence = fence_from_text(fields.text("fence"))
    calls, outcome = fields.object_or_empty("store_calls"), fields.object_or_none("outcome")
    return RoundRecord(
        fence=fence,
        metro=fields.text("metro"),
        site=fields.text("site"),
        at_ms=fields.count("at_ms"),
        heard=_member(Heard, fields.text("heard"), Heard.OUTCOME),
        breached=fields.text_or_none("breached"),
        measured=fields.numbers("measured"),
        opener=fields.text_or_none("opener"),
        coordinator=fields.text_or_none("coordinator"),
        candidates=tuple(parse_candidate(candidate) for candidate in fields.listed("candidates")),
        roster=fields.texts("roster"),
        quorum=fields.count("quorum", 0),
        suspected=fields.texts("suspected"),
        ballots={site: _read_ballot(ballot) for site, ballot in fields.objects("ballots").items()},
        voters=fields.texts("voters"),
        tally=fields.counts("tally"),
        outcome=None if outcome is None else parse_outcome(outcome),
        decided_ms=fields.number_or_none("decided_ms"),
        learned_ms=fields.number_or_none("learned_ms"),
        ended=_text_or_none(fields, "ended"),
        steps=tuple(Step(step.text("name"), step.number("ms")) for step in fields.listed("steps")),
        votes={site: read_vote(fence, site, vote) for site, vote in fields.objects("votes").items()},
        effects=tuple(read_effect(fence, effect) for effect in fields.listed("effects")),
        trace_id=fields.text_or_none("trace_id") or "",
        calls=CallCount(calls.count("count", 0), calls.count("hedged", 0)),
    )


def effect_document(effect: EffectReport) -> dict[str, Any]:
    return {
        "site": effect.site,
        "what": effect.what[:LONG_TEXT_LIMIT],
        "state": effect.state,
        "took_ms": effect.took_ms,
        "why": effect.why[:LONG_TEXT_LIMIT] if effect.why is not None else None,
    }


def read_effect(fence: Fence, fields: Fields) -> EffectReport:
    return EffectReport(
        fence, fields.text("site"), fields.long_text("what"), fields.text("state"), fields.number("took_ms", 0.0),
        _text_or_none(fields, "why"),
    )  # fmt: skip


def _read_ballot(fields: Fields) -> RecordedBallot:
    known = _member(Known, fields.text("known"), Known.ACKNOWLEDGED)
    return RecordedBallot(fields.texts("ranking", chars=CANDIDATE_ID_LIMIT), fields.number("ms"), known)


def _text_or_none(fields: Fields, name: str) -> str | None:
    return None if fields.anything(name) is None else fields.long_text(name)


def _member(kind: Any, value: str, otherwise: Any) -> Any:
    """A newer site may tell of more ways in which it heard of something."""
    return kind(value) if value in list(kind) else otherwise
