"""The developer view: why a request ran where it did, what a round rested on, what agents asked, what is in force."""

from collections.abc import Callable

import streamlit as st

from dashboard.client import FleetClient
from dashboard.markup.agent_calls import agent_call_table
from dashboard.markup.routing import routing_table
from dashboard.resources import CALLS, CONFIGURATION, DECISIONS, ROUNDS, TABLE
from dashboard.views.decisions import show_decisions
from dashboard.views.live import REFRESH_S, look, told
from dashboard.views.moments import readers_zone
from dashboard.views.notes import note
from dashboard.views.rounds import show_rounds
from dashboard.views.session import Session
from dashboard.wording import milliseconds

PARAMETER = "show"
ROUNDS_SHOWN = 20


@st.fragment(run_every=REFRESH_S)
def show(session: Session) -> None:
    seen = look(session)
    if seen is None:
        return
    names = list(SECTIONS)
    asked = st.query_params.get(PARAMETER)
    chosen = st.segmented_control(
        "Show", names, default=asked if asked in SECTIONS else names[0], label_visibility="collapsed", key="section"
    )
    section = chosen or names[0]
    # In the address too, so that it can be sent on.
    if section != asked and (asked is not None or section != names[0]):
        st.query_params[PARAMETER] = section
    SECTIONS[section](seen.client)


def _decisions(client: FleetClient) -> None:
    page = told(client.read(DECISIONS), "Decisions")
    if page is not None:
        show_decisions(page, readers_zone())


def _rounds(client: FleetClient) -> None:
    page = told(client.read(ROUNDS), "Rounds")
    if page is not None:
        show_rounds(page, readers_zone(), ROUNDS_SHOWN)


def _agents(client: FleetClient) -> None:
    page = told(client.read(CALLS), "Calls of agents")
    if page is None:
        return
    if not page.calls:
        st.caption("No agent has asked anything yet.")
        return
    st.caption("What agents asked tools and models, newest first.")
    st.html(agent_call_table(page.calls, readers_zone()))


def _routing(client: FleetClient) -> None:
    table = told(client.read(TABLE), "Routing table")
    if table is None:
        return
    age = milliseconds(table.age_ms)
    note(f"For devices of {table.site}, by model: shares of its requests. Version {table.version}, {age} old.")
    st.html(routing_table(table))


def _configuration(client: FleetClient) -> None:
    document = told(client.read(CONFIGURATION), "Configuration")
    if document is not None:
        st.caption("In force at the controller that this page asks, defaults included; secrets are their references.")
        st.json(document, expanded=1)


SECTIONS: dict[str, Callable[[FleetClient], None]] = {
    "decisions": _decisions,
    "rounds": _rounds,
    "agents": _agents,
    "routing": _routing,
    "configuration": _configuration,
}
