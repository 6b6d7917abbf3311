"""`edgemind rounds show`: one round on a page, with a picture of its steps over a tenth of a second."""

from collections.abc import Sequence
from datetime import UTC, datetime

from edgemind.domain.swarm.history import Heard, RoundRecord
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.domain.swarm.wording import candidate_words, outcome_words
from edgemind.entrypoints.text_tables import Cell, show, show_ms, text_table

BAR_CELLS = 50
SINCE = {
    Heard.BREACH: "the confirmed breach",
    Heard.WAKE: "it was woken",
    Heard.HINT: "its first hint",
    Heard.OUTCOME: "it learned the outcome",
}


def page_text(record: RoundRecord, unreachable: Sequence[str]) -> str:
    """`unreachable` sites' votes and effects are not on it."""
    parts = [_head(record), _facts(record), _candidates(record), _ballots(record), _steps(record)]
    parts += [_votes(record), _effects(record)]
    if unreachable:
        parts.append(f"Without votes and effects of {', '.join(unreachable)}: not reached just now.")
    return "\n\n".join(part for part in parts if part)


def since(record: RoundRecord) -> str:
    """What times in the record count from."""
    return SINCE[record.heard]


def _head(record: RoundRecord) -> str:
    at = datetime.fromtimestamp(record.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:23]
    who = "its coordinator" if record.coordinated else "not its coordinator"
    return f"round {record.fence} of metro {record.metro}, {at} UTC, as {record.site} tells it ({who})"


def _facts(record: RoundRecord) -> str:
    measured = ", ".join(f"{name} {show(value)}" for name, value in record.measured.items())
    counted = f"{len(record.voters)} of {len(record.roster)} ballots, quorum {record.quorum}"
    decided = record.decided_ms if record.decided_ms is not None else record.learned_ms
    verb = "decided" if record.decided_ms is not None else "learned"
    copies = f", {record.calls.hedged} of them copies of slow ones" if record.calls.hedged else ""
    facts = [
        ("breach", " ".join(part for part in (record.breached, record.model, measured) if part)),
        ("outcome", outcome_words(record.outcome, record.ended)),
        (verb, f"{show_ms(decided)} after {since(record)}" if decided is not None else None),
        ("counted", counted if record.coordinated else None),
        ("opener", record.opener),
        ("coordinator", record.coordinator),
        ("roster", ", ".join(record.roster)),
        ("suspected", ", ".join(record.suspected)),
        ("store calls", f"{record.calls.count} of {record.site}{copies}"),
    ]
    return "\n".join(f"{name:12} {value or '-'}" for name, value in facts)


def _candidates(record: RoundRecord) -> str:
    decided = record.outcome.candidate if record.outcome is not None else None
    rows: list[list[Cell]] = [
        [number, candidate_words(candidate), record.tally.get(candidate.id), "decided" if candidate == decided else ""]
        for number, candidate in enumerate(record.candidates, 1)
    ]
    return text_table(["#", "CANDIDATE", "POINTS", ""], [[*row[:3], row[3] or " "] for row in rows]) if rows else ""


def _ballots(record: RoundRecord) -> str:
    if not record.ballots:
        return ""
    numbers = {candidate.id: str(number) for number, candidate in enumerate(record.candidates, 1)}
    rows: list[list[Cell]] = []
    for site, ballot in sorted(record.ballots.items(), key=lambda item: (item[1].ms, item[0])):
        ranked = " > ".join(numbers.get(one, one) for one in ballot.ranking)
        counted = "yes" if site in record.voters else "no"
        rows.append([site, ranked, show_ms(ballot.ms), ballot.known.value, counted])
    return text_table(["BALLOT", "RANKING BY #", "KNOWN AFTER", "HOW", "COUNTED"], rows)


def _steps(record: RoundRecord) -> str:
    """Each step's bar reaches from the step before it to its own moment."""
    if not record.steps:
        return ""
    whole_ms = max(TARGET_MS, *(step.ms for step in record.steps))
    width = max(len(step.name) for step in record.steps)
    lines = [f"steps of {record.site} since {since(record)}; the whole bar is {show_ms(whole_ms)}"]
    before_ms = 0.0
    for step in sorted(record.steps, key=lambda one: one.ms):
        start, end = (round(BAR_CELLS * ms / whole_ms) for ms in (before_ms, step.ms))
        bar = (" " * min(start, BAR_CELLS - 1) + "█" * max(1, end - start)).ljust(BAR_CELLS)
        lines.append(f"{step.name:{width}}  {step.ms:8.1f} ms  |{bar[:BAR_CELLS]}|")
        before_ms = step.ms
    return "\n".join(lines)


def _votes(record: RoundRecord) -> str:
    rows: list[list[Cell]] = [
        [site, vote.voter, show_ms(vote.took_ms), len(vote.tool_calls)] for site, vote in sorted(record.votes.items())
    ]
    return text_table(["VOTE", "VOTER", "TOOK", "TOOL CALLS"], rows) if rows else ""


def _effects(record: RoundRecord) -> str:
    rows: list[list[Cell]] = [
        [effect.site, effect.what, effect.state, str(effect.fence), show_ms(effect.took_ms), effect.why]
        for effect in record.effects
    ]
    return text_table(["EFFECT", "WHAT", "STATE", "FENCE", "TOOK", "WHY"], rows) if rows else ""
