"""One decision told as a person would: a sentence, the candidates with their costs, and who was left out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from edgemind.domain.requests import because
from edgemind.entrypoints.text_tables import Cell, show, show_ms, text_table

Document = Mapping[str, Any]


def explanation_text(decision: Document) -> str:
    """`edgemind decisions explain ID`."""
    parts = [_sentence(decision), _outcome(decision), "", _candidates(decision)]
    excluded = decision.get("exclusions") or []
    if excluded:
        parts += ["", "Left out: " + ", ".join(f"{one['site']} ({one['why']})" for one in excluded)]
    parts += ["", _asked(decision)]
    return "\n".join(parts)


def _sentence(decision: Document) -> str:
    chosen, ingress, reason = decision.get("chosen"), decision["site"], decision["reason"]
    why = because(reason)
    asked = f"{decision['model']} asked at {ingress}"
    if chosen is None:
        return f"{decision['id']}: {asked} was refused, because {why} ({reason})."
    where = "there itself" if chosen == ingress else f"at {chosen}"
    return f"{decision['id']}: {asked} ran {where}, because {why} ({reason})."


def _outcome(decision: Document) -> str:
    at = datetime.fromtimestamp(decision["at_ms"] / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:23]
    status = decision.get("status")
    if not status:
        return f"Decided {at} UTC; predicted {show_ms(decision.get('predicted_ms'))}, still under way."
    took = (
        f"predicted {show_ms(decision.get('predicted_ms'))}, took {show_ms(decision.get('actual_ms'))} "
        f"(first byte {show_ms(decision.get('first_byte_ms'))})"
    )
    tries = decision.get("attempts") or []
    told = "; tried " + ", then ".join(f"{one['site']} ({one['outcome']})" for one in tries) if len(tries) > 1 else ""
    return f"Decided {at} UTC; {took}, status {status}{told}."


def _candidates(decision: Document) -> str:
    rows = decision.get("candidates") or []
    if not rows:
        return "There was no candidate."
    chosen, runner_up = decision.get("chosen"), decision.get("runner_up")
    marks = {chosen: "chosen", runner_up: "runner-up"}
    ordered = sorted(rows, key=lambda row: (_cost(row) is None, _cost(row) or 0.0))
    table = [_row(row, marks.get(row["site"], "")) for row in ordered]
    headings = ["", "SITE", "TIER", "RTT", "SERVICE", "WAITING", "LOAD", "EXPECTED", "COST", "IN FLIGHT"]
    headings += ["SLOTS", "WEIGHT"]
    told = "Candidates in ms: the terms add up to EXPECTED; COST, by which they are compared, counts waiting for more."
    return f"{told}\n{text_table(headings, table)}"


def _row(row: Document, mark: str) -> list[Cell]:
    fresh = row.get("fresh", True)
    terms: list[Cell] = [_number(row.get(name)) for name in ("rtt_ms", "service_ms", "waiting_ms", "load_ms")]
    expected: Cell = _number(row.get("expected_ms")) if fresh else "report too old"
    weight = row.get("weight")
    share = None if weight is None else f"{weight * 100:.0f} %"
    known: list[Cell] = [
        expected,
        _number(row.get("cost_ms")),
        row.get("in_flight"),
        row.get("slots"),
        share,
    ]
    return [mark or " ", row["site"], row.get("tier"), *terms, *known]


def _cost(row: Document) -> float | None:
    """What candidates are compared by; gateways of an older version only tell what they expect."""
    cost_ms: float | None = row.get("cost_ms", row.get("expected_ms"))
    return cost_ms


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _asked(decision: Document) -> str:
    """The request's own terms, in the order a reader needs them."""
    terms = [
        ("deadline", show_ms(decision.get("deadline_ms"))),
        ("priority", decision.get("priority")),
        ("residency", ", ".join(decision.get("residency") or []) or "any"),
        ("device class", decision.get("device_class") or "any"),
        ("session last at", decision.get("session")),
        ("tenant", decision.get("tenant")),
        ("API", decision.get("api")),
        ("table version", decision.get("table_version")),
        ("trace", decision.get("trace_id")),
    ]
    return "Asked with: " + ", ".join(f"{name} {show(value)}" for name, value in terms if value)
