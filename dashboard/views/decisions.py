"""The list of recent decisions; a click opens an explanation and puts it into the page's address, to be sent on."""

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.views.moments import moment
from dashboard.wording import NOTHING, milliseconds, plain_reason, under_way
from edgemind.domain.decision_ids import locate_decision
from edgemind.domain.fleet_status import DecisionPage
from edgemind.domain.worker_reports import DecisionSummary

PARAMETER = "decision"
"""Of the page's address."""


def show_decisions(page: DecisionPage, zone: tzinfo) -> None:
    st.subheader("Recent decisions", anchor=False)
    if not page.decisions:
        st.caption("No decision yet: send a request to a gateway.")
        return
    if page.unreachable:
        st.caption(f"Without those of {', '.join(page.unreachable)}: not reached just now.")
    rows = [row(decision, zone) for decision in page.decisions]
    opened = _component()(key="decisions", data={"decisions": rows}, on_opened_change=lambda: None).opened
    if opened:
        st.query_params[PARAMETER] = str(opened)
        # The whole page: a dialog that belonged to this part would be closed by its next refresh.
        st.rerun(scope="app")


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
        "bad": decision.status >= 400,
    }


@st.cache_resource
def _component() -> Callable[..., Any]:
    """Registered once a process: each registration of the same name replaces the one before, with a warning."""
    here = Path(__file__).parent
    return st.components.v2.component(
        "edgemind_decision_list",
        css=(here / "decision_list.css").read_text(encoding="utf-8"),
        js=(here / "decision_list.js").read_text(encoding="utf-8"),
    )
