"""One round told: what breached, how ballots were counted, what each voter saw and asked, what came of it, a replay."""

import json
from collections.abc import Mapping, Sequence

from dashboard.markup.elements import Heading, Html, bar, joined, quiet, span, table, tag, text
from dashboard.wording import NOTHING, milliseconds, number
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Candidate
from edgemind.domain.swarm.replay import Check, why_decided_then
from edgemind.domain.swarm.votes import ToolCall, Vote
from edgemind.domain.swarm.wording import candidate_words, outcome_words

RESULT_CHARS = 300
CALLS_SHOWN = 40
BAD_EFFECTS = frozenset({"failed", "refused"})


def round_story(record: RoundRecord, at: str) -> Html:
    breach = f"{record.breached or 'A site'} was about to miss its targets"
    about = f" for {record.model}" if record.model else ""
    measured = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in record.measured.items())
    trouble = f" ({measured})" if measured else ""
    decided = tag("strong", text(outcome_words(record.outcome, record.ended)))
    head = tag("p", joined([text(f"{breach}{about}{trouble}. Decided: "), decided, text(".")]), class_="em-story")
    return joined([head, tag("p", text(f"Heard of at {at}. {_how(record)}"))])


def tally_table(record: RoundRecord) -> Html:
    """Candidates with their points, most first, and on which place each ballot had them."""
    if not record.candidates:
        return tag("p", quiet("Its candidates are not known here."))
    voters = sorted(record.ballots)
    headings = [Heading("Candidate"), Heading("Points", numeric=True), Heading("Share")]
    headings += [Heading(site, numeric=True) for site in voters]
    most = max(record.tally.values(), default=0)
    order = sorted(record.candidates, key=lambda one: (-record.tally.get(one.id, 0), one.id))
    return table("Candidates, points and ballots", headings, (_tally_row(one, record, voters, most) for one in order))


def votes(record: RoundRecord) -> Html:
    """What spoke at each site, what it ranked, and the tools that it asked on the way."""
    if not record.votes:
        return tag("p", quiet("No vote was recorded with what it rests on."))
    known = {one.id: one for one in record.candidates}
    return joined(_vote(site, vote, known) for site, vote in sorted(record.votes.items()))


def effects(record: RoundRecord) -> Html:
    if not record.effects:
        return tag("p", quiet("No effect was reported."))
    headings = [Heading("Site"), Heading("What"), Heading("State"), Heading("Took", numeric=True), Heading("Why")]
    rows = (
        {
            "Site": text(one.site),
            "What": text(one.what),
            "State": span("em-bad", text(one.state)) if one.state in BAD_EFFECTS else text(one.state),
            "Took": text(milliseconds(one.took_ms)),
            "Why": text(one.why or ""),
        }
        for one in record.effects
    )
    return table("Effects", headings, rows, "em-stacked")


def steps(record: RoundRecord) -> Html:
    """When each step was done, on one scale with the target of 100 ms."""
    longest = max([100.0, *(one.ms for one in record.steps)])
    rows = (
        {"Step": text(one.name), "After": text(milliseconds(one.ms)), "Of 100 ms": bar(one.ms / longest)}
        for one in record.steps
    )
    return table("Steps", [Heading("Step"), Heading("After", numeric=True), Heading("Of 100 ms")], rows, "em-steps")


def replay_table(checks: Sequence[Check]) -> Html:
    headings = [Heading("Computed again"), Heading("Result"), Heading("Recorded"), Heading("Now")]
    return table("Replay", headings, (_check(one) for one in checks), "em-stacked")


def replay_words(checks: Sequence[Check]) -> str:
    known = [one for one in checks if one.replayed is not None]
    differing = [one for one in known if not one.agrees]
    if differing:
        return f"Does not replay: {differing[0].what} differs first."
    if not known:
        return "Nothing of it can be replayed: this record only learned its outcome."
    missing = len(checks) - len(known)
    rest = f"; {missing} not recorded where this was kept" if missing else ""
    return f"Replays: {len(known)} of {len(checks)} agree with the code of this page{rest}."


def call_line(call: ToolCall) -> Html:
    given = ", ".join(f"{name}={shortened(value)}" for name, value in call.arguments.items())
    asked = joined([text(f"{call.role} asked "), tag("code", text(f"{call.tool}({given})"))])
    took = quiet(f" in {milliseconds(call.took_ms)}: ")
    came = span("em-bad", text(f"failed: {call.failed}")) if call.failed else tag("code", text(shortened(call.result)))
    return tag("li", joined([asked, took, came]))


def shortened(value: object) -> str:
    """As JSON, cut: a tool may answer with a whole table."""
    return cut(json.dumps(value, default=str))


def cut(said: str) -> str:
    return said if len(said) <= RESULT_CHARS else f"{said[:RESULT_CHARS]} …"


def _how(record: RoundRecord) -> str:
    told = []
    if record.decided_ms is not None:
        why = why_decided_then(record)
        counted = f", by {len(record.voters)} of {len(record.roster)} ballots (a quorum is {record.quorum})"
        told.append(f"Decided in {milliseconds(record.decided_ms)}{counted}{f': {why}' if why else ''}.")
    else:
        told.append(f"{record.site} only learned of it; the coordinator's own record was not to be had.")
    if record.coordinator:
        told.append(f"{record.opener or 'Another site'} opened it, {record.coordinator} coordinated.")
    if record.suspected:
        told.append(f"Suspected, and not waited for: {', '.join(record.suspected)}.")
    return " ".join(told)


def _tally_row(one: Candidate, record: RoundRecord, voters: Sequence[str], most: int) -> dict[str, Html]:
    points = record.tally.get(one.id)
    row = {
        "Candidate": text(candidate_words(one)),
        "Points": text(NOTHING if points is None else str(points)),
        "Share": bar(points / most) if points and most else Html(""),
    }
    for site in voters:
        ranking = record.ballots[site].ranking
        place = f"{ranking.index(one.id) + 1}." if one.id in ranking else NOTHING
        row[site] = text(place) if site in record.voters else quiet(f"{place} late")
    return row


def _vote(site: str, vote: Vote, known: Mapping[str, Candidate]) -> Html:
    ranked = [candidate_words(known[one]) if one in known else one for one in vote.ranking]
    head = joined([tag("strong", text(site)), text(f": {vote.voter} voter, {milliseconds(vote.took_ms)}")])
    order = tag("ol", joined(tag("li", text(one)) for one in ranked))
    calls = joined(call_line(call) for call in vote.tool_calls[:CALLS_SHOWN])
    asked = tag("ul", calls, class_="em-calls") if vote.tool_calls else Html("")
    return tag("div", joined([tag("p", head), order, asked]), class_="em-vote")


def _check(one: Check) -> dict[str, Html]:
    if one.replayed is None:
        result = quiet("not recorded")
    else:
        result = text("● same") if one.agrees else span("em-bad", text("✕ different"))
    return {
        "Computed again": text(one.what),
        "Result": result,
        "Recorded": tag("code", text(one.recorded)),
        "Now": tag("code", text(one.replayed or NOTHING)),
    }
