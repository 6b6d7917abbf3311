"""The explanation of one decision, in a dialog over the page."""

from datetime import tzinfo

import streamlit as st

from dashboard.client import FleetClient
from dashboard.explanations import Explanation
from dashboard.markup.explanation import asked_with, candidates, exclusions, story
from dashboard.trouble import FleetTrouble
from dashboard.views.decisions import PARAMETER
from dashboard.views.moments import moment
from edgemind.domain.decision_ids import locate_decision


def show_explanation(client: FleetClient, decision_id: str, zone: tzinfo) -> None:
    st.dialog("Why it ran there", width="large", on_dismiss=_forget)(_draw)(client, decision_id, zone)


def _forget() -> None:
    st.query_params.pop(PARAMETER, None)


def _draw(client: FleetClient, decision_id: str, zone: tzinfo) -> None:
    st.code(decision_id, language=None, wrap_lines=True)
    if locate_decision(decision_id) is None:
        st.warning("This is no decision id: they look like dec-site-a-0-0123456789abcdef and come in `x-request-id`.")
        return
    try:
        explanation = client.explain(decision_id)
    except FleetTrouble as trouble:
        st.warning(trouble.headline)
        st.text(str(trouble))
        st.button("Look again")
        return
    _tell(explanation, zone)
    if explanation.under_way:
        st.button("Look again", help="It was still under way.")


def _tell(explanation: Explanation, zone: tzinfo) -> None:
    st.html(story(explanation, moment(explanation.at_ms, zone)))
    st.markdown("##### Who could have taken it, and when it would have been done")
    st.html(candidates(explanation))
    st.markdown("##### Left out")
    st.html(exclusions(explanation))
    st.markdown("##### What the request asked for")
    st.html(asked_with(explanation))
