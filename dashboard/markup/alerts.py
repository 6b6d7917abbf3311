"""Alerts as a list: what is wrong, where, for how long, and which runbook helps."""

from collections.abc import Sequence

from dashboard.markup.elements import Heading, Html, joined, quiet, span, table, tag, text
from dashboard.markup.kpis import level_chip
from dashboard.wording import ago
from edgemind.domain.operations_status import AlertState, AlertStatus

_HEADINGS = (Heading("Level"), Heading("What"), Heading("Where"), Heading("For", numeric=True))


def alert_table(alerts: Sequence[AlertStatus], now_ms: float) -> Html:
    """`now_ms` by the fleet's clock, as the alerts' times are."""
    return table("Alerts", _HEADINGS, (_row(one, now_ms) for one in alerts), "em-alerts")


def _row(one: AlertStatus, now_ms: float) -> dict[str, Html]:
    over = one.state is AlertState.RESOLVED
    if over and one.ended_ms is not None:
        lasted = f"{ago(one.ended_ms - one.since_ms)}, over"
    else:
        lasted = ago(now_ms - one.since_ms)
    state = {AlertState.PENDING: "not yet for long enough", AlertState.RESOLVED: "over", AlertState.FIRING: ""}
    runbook = tag("code", text(f"docs/{one.runbook}"), class_="em-runbook") if one.runbook else Html("")
    return {
        "Level": span("em-over", text("● over")) if over else level_chip(one.level),
        "What": joined([tag("span", text(one.text), class_="em-what"), quiet(state[one.state]), runbook], " "),
        "Where": text(one.site or "metro"),
        "For": text(lasted),
    }
