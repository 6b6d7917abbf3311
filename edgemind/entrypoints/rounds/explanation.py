"""`edgemind rounds explain`: a round as a person would tell it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.records import KEEP, Candidate
from edgemind.domain.swarm.replay import why_decided_then
from edgemind.domain.swarm.voter import pressure
from edgemind.domain.swarm.votes import ToolCall, Vote
from edgemind.domain.swarm.wording import candidate_words, outcome_words
from edgemind.entrypoints.printable import printable
from edgemind.entrypoints.rounds.page import since
from edgemind.entrypoints.text_tables import Cell, show, show_ms, text_table

RESULT_CHARS = 160


def explanation_text(record: RoundRecord, unreachable: Sequence[str], calls: Sequence[AgentCall] = ()) -> str:
    """`unreachable` sites' votes and effects are not known. `calls` are what the stream of agents' calls tells of it:
    those behind recorded votes are in them too."""
    others = _other_calls(record, calls)
    parts = [_what(record), _who_led(record), _votes(record), others, _tally(record), _effects(record)]
    if unreachable:
        parts.append(f"What {', '.join(unreachable)} voted from and did is not known: not reached just now.")
    if record.trace_id:
        parts.append(f"Trace {record.trace_id}.")
    return "\n\n".join(part for part in parts if part)


def explanation_document(record: RoundRecord, calls: Sequence[AgentCall] = ()) -> dict[str, Any]:
    """The record, and what follows from it: pressures by site and candidate, and why nobody waited longer; with the
    tool calls that its votes do not hold."""
    return {
        "other_calls": [asdict(call) for call in _not_in_votes(record, calls)],
        "round": record_document(record),
        "told": outcome_words(record.outcome, record.ended),
        "decided_because": why_decided_then(record),
        "pressures": {
            site: {one.id: _finite(pressure(one, vote.view.loads)) for one in record.candidates}
            for site, vote in record.votes.items()
        },
    }


def _what(record: RoundRecord) -> str:
    measured = ", ".join(f"{name.replace('_', ' ')} {show(value)}" for name, value in record.measured.items())
    trouble = f" ({measured})" if measured else ""
    breach = f"{record.breached or 'a site'} was about to miss its targets"
    breach += f" for {record.model}{trouble}" if record.model else trouble
    if record.outcome is None:
        return f"Round {record.fence}: {breach}. There is {outcome_words(None, record.ended)}."
    lines = [f"Round {record.fence}: {breach}. Decided: {outcome_words(record.outcome)}."]
    if record.decided_ms is not None:
        lines.append(f"{record.site} knew it {show_ms(record.decided_ms)} after {since(record)}{_counted(record)}.")
    else:
        lines.append(f"{record.site} only learned of it; the coordinator's own record was not to be had.")
    return "\n".join(lines)


def _counted(record: RoundRecord) -> str:
    if not record.coordinated:
        return ""
    why = why_decided_then(record)
    counted = f", by {len(record.voters)} of {len(record.roster)} ballots (a quorum is {record.quorum})"
    return f"{counted}: {why}" if why else counted


def _who_led(record: RoundRecord) -> str:
    """Whether the site in trouble saw its round through, or deputies did."""
    told = []
    taken_over = next((step.ms for step in record.steps if step.name == "took over"), None)
    if taken_over is not None:
        told.append(f"{record.site}, a deputy, took over {show_ms(taken_over)} after {since(record)}.")
    if record.coordinator is not None and record.coordinator == record.breached == record.opener:
        told.append(f"{record.coordinator} opened and coordinated its own round; no deputy had to take over.")
    elif record.coordinator is not None:
        told.append(f"{record.opener or 'Another site'} opened it, and {record.coordinator} decided it.")
    if record.suspected:
        told.append(f"Suspected, and not waited for: {', '.join(record.suspected)}.")
    return " ".join(told)


def _votes(record: RoundRecord) -> str:
    if not record.votes:
        return "No vote was recorded with what it rests on."
    head = "Votes, with the requests per slot that an average request would find at its site (less is better):"
    return "\n".join([head, *(_vote(record, site, vote) for site, vote in sorted(record.votes.items()))])


def _vote(record: RoundRecord, site: str, vote: Vote) -> str:
    known = {candidate.id: candidate for candidate in record.candidates}
    ranked = [known[one] for one in vote.ranking if one in known]
    if not ranked:
        return f"  {vote.voter} voter at {site}: a ranking of candidates that this record does not hold"
    keep = show(float(pressure(KEEP, vote.view.loads)))
    first = f"{candidate_words(ranked[0])} leaves {_pressure(ranked[0], vote)} per slot"
    beside = "" if ranked[0] == KEEP else f", keep {keep}"
    lines = [f"  {vote.voter} voter at {site}: {first}{beside}{_why_keep(ranked[0], vote)}"]
    lines += [f"    then {candidate_words(one)} ({_pressure(one, vote)})" for one in ranked[1:]]
    return "\n".join([*lines, *(f"    {_call(call)}" for call in vote.tool_calls)])


def _why_keep(first: Candidate, vote: Vote) -> str:
    if first != KEEP:
        return ""
    view, policy = vote.view, vote.view.policy
    if view.since_change_ms is not None and view.since_change_ms < policy.cooldown_ms:
        since_change, cooldown = show_ms(view.since_change_ms), show_ms(policy.cooldown_ms)
        return f": the last change was {since_change} ago, and changes rest for {cooldown}"
    return f": no change takes away {policy.hysteresis_ratio:.0%} of the pressure"


def _call(call: ToolCall) -> str:
    given = ", ".join(f"{name}={json.dumps(value)}" for name, value in call.arguments.items())
    came = f"failed: {call.failed}" if call.failed is not None else json.dumps(call.result)
    return _asked(call.role, call.tool, given, call.took_ms, came)


def _asked(role: str, tool: str, given: str, took_ms: float, came: str) -> str:
    shown = printable(came[:RESULT_CHARS]) + (" ..." if len(came) > RESULT_CHARS else "")
    return f"{printable(role)} asked {printable(tool)}({printable(given)}) in {show_ms(took_ms)}: {shown}"


def _other_calls(record: RoundRecord, calls: Sequence[AgentCall]) -> str:
    """What agents asked on the way to no ballot, or about the round once it was over."""
    others = sorted(_not_in_votes(record, calls), key=lambda call: (call.at_ms, call.id))
    if not others:
        return ""
    told = [
        f"  {call.site}: {_asked(call.role, call.tool, call.arguments[1:-1], call.took_ms, _came(call))}"
        for call in others
    ]
    return "\n".join(["Other tool calls for this round, by sites that gave no ballot or after it was over:", *told])


def _came(call: AgentCall) -> str:
    return f"failed: {call.failed}" if call.failed is not None else call.result or "null"


def _not_in_votes(record: RoundRecord, calls: Sequence[AgentCall]) -> list[AgentCall]:
    voted = {(site, call.role, call.tool) for site, vote in record.votes.items() for call in vote.tool_calls}
    return [call for call in calls if (call.site, call.role, call.tool) not in voted]


def _tally(record: RoundRecord) -> str:
    if not record.tally:
        return ""
    order = sorted(record.candidates, key=lambda one: (-record.tally.get(one.id, 0), one.id))
    rows: list[list[Cell]] = [[candidate_words(one), record.tally.get(one.id, 0)] for one in order]
    noted = " They decided nothing: there was no quorum." if record.outcome and record.outcome.timed_out else ""
    return f"Tally (5 points for a first place to 1 for a fifth).{noted}\n{text_table(['CANDIDATE', 'POINTS'], rows)}"


def _effects(record: RoundRecord) -> str:
    if not record.effects:
        quiet = record.outcome is None or record.outcome.candidate == KEEP
        return "" if quiet else "No effect was reported yet."
    told = [
        f"  {one.site}: {one.what}: {one.state} at fence {one.fence} in {show_ms(one.took_ms)}"
        + (f" ({one.why})" if one.why else "")
        for one in record.effects
    ]
    return "\n".join(["Effects:", *told])


def _pressure(candidate: Candidate, vote: Vote) -> str:
    return show(float(pressure(candidate, vote.view.loads)))


def _finite(value: float) -> float | None:
    """JSON has no infinity: null says that no slot would be left for demand that there is."""
    return None if value == float("inf") else value
