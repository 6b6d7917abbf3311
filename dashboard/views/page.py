"""The page as a whole: it looks at the fleet every two seconds and draws what it finds, trouble included."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard.client import FleetClient
from dashboard.connection import Connection, find_fleet, read_flags
from dashboard.trouble import FleetTrouble
from dashboard.views.decisions import PARAMETER, show_decisions
from dashboard.views.explanation import show_explanation
from dashboard.views.fleet import show_fleet
from dashboard.views.moments import readers_zone
from dashboard.views.rounds import show_rounds
from dashboard.wording import milliseconds
from edgemind.settings import load_client_settings

REFRESH_S = 2.0
FOLDER = Path(__file__).resolve().parents[1]


def show_page(arguments: Sequence[str]) -> None:
    """`arguments` are what follows `--` on Streamlit's command line."""
    st.set_page_config("EdgeMind", page_icon=FOLDER / "icon.svg", layout="wide")
    st.html(FOLDER / "style.css")
    st.title("EdgeMind", anchor=False)
    _live(tuple(arguments))
    decision_id = st.query_params.get(PARAMETER)
    if decision_id:
        _explain(arguments, decision_id)


@st.fragment(run_every=REFRESH_S)
def _live(arguments: tuple[str, ...]) -> None:
    # Read before anything is drawn: while it waits, the page shows what it showed before.
    try:
        reading = _client(arguments).read()
    except FleetTrouble as trouble:
        _show_trouble(trouble)
        return
    if reading.trouble is not None:
        _show_trouble(reading.trouble, reading.age_s if reading.fleet else None)
    if reading.fleet is not None:
        zone = readers_zone()
        show_fleet(reading.fleet, reading, zone)
        if reading.fleet.sites:
            show_rounds(reading.rounds, zone)
            show_decisions(reading.decisions, zone)


def _explain(arguments: Sequence[str], decision_id: str) -> None:
    try:
        client = _client(arguments)
    except FleetTrouble:
        # The page already says why.
        return
    show_explanation(client, decision_id, readers_zone())


def _show_trouble(trouble: FleetTrouble, age_s: float | None = None) -> None:
    old = "" if age_s is None else f" What is below was read {milliseconds(age_s * 1000)} ago."
    with st.container(border=True):
        st.markdown(f"**{trouble.headline}**")
        # As text: it holds addresses and file names, which are no Markdown.
        st.text(str(trouble))
        st.caption(f"The page looks again every {REFRESH_S:g} s and goes on by itself.{old}")


def _client(arguments: Sequence[str]) -> FleetClient:
    """The client of the fleet that is to be shown now. Raises FleetTrouble if none is known."""
    return _client_of(find_fleet(read_flags(arguments), load_client_settings()))


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs={Connection: lambda one: (one.url, one.token)})
def _client_of(connection: Connection) -> FleetClient:
    """One for all tabs: they share its cache and its history."""
    return FleetClient(connection)
