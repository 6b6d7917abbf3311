"""The schema of stored rounds, version 1.0: named fields, as JSON has them and an item of a table."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from edgemind.adapters.state_store.records import SCHEMA_VERSION, check_schema
from edgemind.domain.swarm.records import Action, Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.domain.swarm.roster import Roster, RosterMember
from edgemind.errors import PermanentError, StateCorrupt

Record: TypeAlias = Mapping[str, Any]
_UNIT_BYTES = 1024


def current_record(current: CurrentRound) -> Record:
    outcome = current.outcome
    return {
        "schema_version": SCHEMA_VERSION,
        "epoch": current.fence.epoch,
        "rnd": current.fence.round,
        "st": current.state.value,
        "cand": [_candidate_record(candidate) for candidate in current.candidates],
        "roster": list(current.roster),
        "q": current.quorum,
        "nonce": current.nonce,
        "dnonce": current.decision_nonce,
        "outcome": None
        if outcome is None
        else {"cand": _candidate_record(outcome.candidate), "timed_out": outcome.timed_out},
        "voters": list(current.voters),
        "claims": dict(current.claims),
    }


def read_current(record: Mapping[str, Any]) -> CurrentRound:
    """StateCorrupt unless it is a current round that a correct member can have written."""
    check_schema(record)
    try:
        outcome = record["outcome"]
        current = CurrentRound(
            Fence(int(record["epoch"]), int(record["rnd"])),
            RoundState(record["st"]),
            tuple(_read_candidate(candidate) for candidate in record["cand"]),
            tuple(_texts(record["roster"])),
            int(record["q"]),
            _text(record["nonce"]),
            None if record["dnonce"] is None else _text(record["dnonce"]),
            None if outcome is None else Outcome(_read_candidate(outcome["cand"]), outcome["timed_out"] is True),
            tuple(_texts(record["voters"])),
            {_text(site): int(incarnation) for site, incarnation in record["claims"].items()},
        )
        current.validate()
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise StateCorrupt(f"it is no current round ({type(exc).__name__}: {exc})") from exc
    except PermanentError as exc:
        raise StateCorrupt(str(exc)) from exc
    return current


def ballot_record(ballot: Ballot) -> Record:
    fence = ballot.fence
    return {
        "schema_version": SCHEMA_VERSION,
        "epoch": fence.epoch,
        "rnd": fence.round,
        "site": ballot.site,
        "ranking": list(ballot.ranking),
    }


def read_ballot(record: Mapping[str, Any]) -> Ballot:
    check_schema(record)
    try:
        fence = Fence(int(record["epoch"]), int(record["rnd"]))
        return Ballot(fence, _text(record["site"]), tuple(_texts(record["ranking"])))
    except (KeyError, TypeError, ValueError) as exc:
        raise StateCorrupt(f"it is no ballot ({type(exc).__name__}: {exc})") from exc


def roster_record(roster: Roster) -> Record:
    return {
        "schema_version": SCHEMA_VERSION,
        "version": roster.version,
        "nonce": roster.nonce,
        "members": [
            {"site": member.site, "controller": member.controller_url, "declaration": member.declaration}
            for member in roster.members
        ],
    }


def read_roster(record: Mapping[str, Any]) -> Roster:
    """StateCorrupt unless it is a roster that a correct writer can have written."""
    check_schema(record)
    try:
        members = tuple(
            RosterMember(
                _text(member["site"]),
                _text(member["controller"]),
                None if member["declaration"] is None else _text(member["declaration"]),
            )
            for member in record["members"]
        )
        roster = Roster(int(record["version"]), members, _text(record["nonce"]))
        roster.validate()
    except (KeyError, TypeError, ValueError) as exc:
        raise StateCorrupt(f"it is no roster ({type(exc).__name__}: {exc})") from exc
    except PermanentError as exc:
        raise StateCorrupt(str(exc)) from exc
    return roster


def write_units(*items: CurrentRound | Ballot) -> int:
    """What a write costs that leaves the largest of these, or finds it: started kilobytes of its compact JSON."""
    return max(-(-len(json.dumps(_record(item), separators=(",", ":"))) // _UNIT_BYTES) for item in items)


def _record(item: CurrentRound | Ballot) -> Record:
    return ballot_record(item) if isinstance(item, Ballot) else current_record(item)


def _candidate_record(candidate: Candidate) -> list[Any]:
    return [candidate.action.value, candidate.site, candidate.target, candidate.of, candidate.model]


def _read_candidate(record: list[Any]) -> Candidate:
    # A later version may add to it.
    action, site, target, of, model, *_ = record
    return Candidate(Action(action), _text(site), int(target), _text(of), _text(model))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: object) -> list[str]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is no list")
    return [_text(value) for value in values]
