"""One decision told: a sentence, what came of it, the candidates with their costs, and who was left out."""

from datetime import datetime

from dashboard.explanations import CostTerms, Explanation
from dashboard.markup.elements import Heading, Html, joined, quiet, span, table, tag, text
from dashboard.wording import NOTHING, milliseconds, number, plain_reason, share
from edgemind.domain.requests import because

TERMS = (("rtt_ms", "distance"), ("load_ms", "loading"), ("service_ms", "service"), ("waiting_ms", "waiting"))
"""Fields of a candidate and their names; together they are its expected completion."""
_HEADINGS = (
    Heading("Candidate"),
    Heading("Expected", numeric=True),
    Heading("Made of"),
    *(Heading(name.capitalize(), numeric=True) for _, name in TERMS),
    Heading("Compared by", numeric=True),
    Heading("In flight", numeric=True),
    Heading("Table share", numeric=True),
)


def story(decision: Explanation, at: datetime) -> Html:
    """What was asked, where it ran, why, and how it went."""
    why = text(f", because {because(decision.reason)} ({plain_reason(decision.reason)}).")
    asked = joined([_strong(decision.model), text(" asked at "), _strong(decision.site)])
    if decision.chosen is None:
        did = text(" was refused")
    elif decision.chosen == decision.site:
        did = text(" ran there itself")
    else:
        did = joined([text(" ran at "), _strong(decision.chosen)])
    sentence = tag("p", joined([asked, did, why]), class_="em-story")
    return joined([sentence, tag("p", text(f"Decided {at:%H:%M:%S}. {outcome(decision)}"))])


def outcome(decision: Explanation) -> str:
    if decision.under_way:
        return f"Predicted {milliseconds(decision.predicted_ms)}; still under way."
    tries = [f"{one.site} ({one.outcome})" for one in decision.attempts]
    told = f" Tried {', then '.join(tries)}." if len(tries) > 1 else ""
    if decision.chosen is None:
        return f"Answered {decision.status}.{told}"
    return (
        f"Predicted {milliseconds(decision.predicted_ms)}, took {milliseconds(decision.actual_ms)} "
        f"(first byte {milliseconds(decision.first_byte_ms)}); status {decision.status}.{told}"
    )


def candidates(decision: Explanation) -> Html:
    """The cheapest first, those too old to compare last; all bars have one scale."""
    if not decision.candidates:
        return tag("p", quiet("There was no candidate."))
    ordered = sorted(
        decision.candidates, key=lambda one: (one.expected_ms is None, one.cost_ms or one.expected_ms or 0.0)
    )
    longest_ms = max((one.expected_ms or 0.0 for one in ordered), default=0.0)
    shown = table("Candidates", _HEADINGS, (_row(one, decision, longest_ms) for one in ordered), "em-candidates")
    return joined([_legend(), shown])


def exclusions(decision: Explanation) -> Html:
    if not decision.exclusions:
        return tag("p", quiet("Nobody was left out: every place that serves the model could take it."))
    items = (tag("li", joined([_strong(one.site), text(f": {one.why}")])) for one in decision.exclusions)
    return tag("ul", joined(items), class_="em-excluded")


def asked_with(decision: Explanation) -> Html:
    """The request's own terms."""
    terms = (
        ("Deadline", milliseconds(decision.deadline_ms)),
        ("Priority", decision.priority or NOTHING),
        ("Residency", ", ".join(decision.residency) or "any"),
        ("Device class", decision.device_class or "any"),
        ("Session last at", decision.session or NOTHING),
        ("Tenant", decision.tenant or NOTHING),
        ("API", decision.api or NOTHING),
        # A version, not an amount: no thousands in it.
        ("Trace", decision.trace_id or NOTHING),
        ("Table version", NOTHING if decision.table_version is None else str(decision.table_version)),
    )
    pairs = (tag("div", joined([tag("dt", text(name)), tag("dd", text(value))])) for name, value in terms)
    return tag("dl", joined(pairs), class_="em-terms")


def _strong(value: str) -> Html:
    return tag("strong", text(value))


def _row(one: CostTerms, decision: Explanation, longest_ms: float) -> dict[str, Html]:
    row = {
        "Candidate": _candidate(one, decision),
        "Expected": tag("strong", text(milliseconds(one.expected_ms))),
        "Made of": _stack(one, longest_ms) if one.fresh else quiet("report too old to compare"),
        "Compared by": text(milliseconds(one.cost_ms)),
        "In flight": text(_in_flight(one)),
        "Table share": text(NOTHING if one.weight is None else share(one.weight, 1.0)),
    }
    for field, name in TERMS:
        row[name.capitalize()] = text(milliseconds(getattr(one, field)))
    return row


def _candidate(one: CostTerms, decision: Explanation) -> Html:
    mark = {decision.chosen: "✓ chosen", decision.runner_up: "runner-up"}.get(one.site)
    tier = quiet(one.tier) if one.tier != "edge" else Html("")
    marked = span("em-mark em-chosen" if one.site == decision.chosen else "em-mark", text(mark)) if mark else Html("")
    return joined([span("em-name", text(one.site)), tier, marked])


def _in_flight(one: CostTerms) -> str:
    """Of a candidate at which nobody waits, only that is known."""
    if one.in_flight is not None:
        return f"{number(one.in_flight)}/{one.slots}"
    return f"under {one.slots}" if one.fresh and one.slots else NOTHING


def _stack(one: CostTerms, longest_ms: float) -> Html:
    parts = []
    for field, name in TERMS:
        ms = getattr(one, field) or 0.0
        if ms > 0 and longest_ms > 0:
            width = f"width:{100.0 * ms / longest_ms:.2f}%"
            parts.append(tag("span", Html(""), class_=f"em-part em-{name}", style=width))
    return tag("span", joined(parts), class_="em-stack", aria_hidden="true")


def _legend() -> Html:
    keys = (joined([tag("span", Html(""), class_=f"em-key em-{name}"), text(name)]) for _, name in TERMS)
    return tag("p", joined(span("em-legend-item", key) for key in keys), class_="em-legend", aria_hidden="true")
