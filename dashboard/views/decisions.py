"""The list of recent decisions; a click opens an explanation."""

from datetime import tzinfo

import streamlit as st

from dashboard.views.click_list import Column, click_list
from dashboard.views.moments import moment
from dashboard.views.notes import note
from dashboard.wording import NOTHING, listed, milliseconds, plain_reason, under_way
from edgemind.domain.decision_ids import locate_decision
from edgemind.domain.fleet_status import DecisionPage
from edgemind.domain.worker_reports import DecisionSummary

PARAMETER = "decision"
"""Of the page's address."""
COLUMNS = (
    Column("time", "Time"),
    Column("model", "Model"),
    Column("where", "Asked at → ran at"),
    Column("why", "Why"),
    Column("predicted", "Predicted", numeric=True, narrow=False),
    Column("took", "Took", numeric=True),
    Column("status", "Status", numeric=True),
)


def show_decisions(page: DecisionPage, zone: tzinfo) -> None:
    if not page.decisions:
        st.caption("No decision yet: send a request to a gateway.")
        return
    st.caption("Newest first, a sample where there are many; a click explains one.")
    if page.unreachable:
        note(f"Without those of {listed(page.unreachable)}: not reached just now.")
    rows = [row(decision, zone) for decision in page.decisions]
    click_list("decisions", "Recent decisions, newest first", COLUMNS, rows, PARAMETER)


def row(decision: DecisionSummary, zone: tzinfo) -> dict[str, str | bool]:
    """What the list shows of one decision, as text."""
    place = locate_decision(decision.id)
    ingress = place.site if place else "?"
    if decision.site is None:
        where = f"{ingress} → nobody"
    else:
        where = ingress if decision.site == ingress else f"{ingress} → {decision.site}"
    took = milliseconds(decision.actual_ms) if decision.actual_ms else NOTHING
    return {
        "id": decision.id,
        "time": f"{moment(decision.at_ms, zone):%H:%M:%S.%f}"[:-3],
        "model": decision.model,
        "where": where,
        "why": plain_reason(decision.reason).replace("_", " "),
        "predicted": milliseconds(decision.predicted_ms),
        "took": "under way" if under_way(decision.status, decision.actual_ms) else took,
        "status": str(decision.status or ""),
        "bad": "status" if decision.status >= 400 else "",
    }
