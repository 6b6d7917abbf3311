"""The app: a header with its three views, and a dialog over them where the address names a decision or a round."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard.trouble import FleetTrouble
from dashboard.views import decisions, developer, executive, operations, rounds
from dashboard.views.account import show_account
from dashboard.views.explanation import show_explanation
from dashboard.views.moments import readers_zone
from dashboard.views.round import show_round
from dashboard.views.session import Session, session_of

FOLDER = Path(__file__).resolve().parents[1]
VIEWS = (
    ("Executive", "executive", executive.show),
    ("Operations", "operations", operations.show),
    ("Developer", "developer", developer.show),
)


def show_app(arguments: Sequence[str]) -> None:
    """`arguments` are what follows `--` on Streamlit's command line."""
    st.set_page_config("EdgeMind", page_icon=FOLDER / "icon.svg", layout="wide")
    st.html(FOLDER / "style.css")
    session = session_of(arguments)
    home, *others = [
        st.Page(partial(show, session), title=title, url_path=path if place else "", default=not place)
        for place, (title, path, show) in enumerate(VIEWS)
    ]
    # The first view has the bare address; by its name it is found, too.
    named = st.Page(partial(VIEWS[0][2], session), title=VIEWS[0][0], url_path=VIEWS[0][1])
    # Its own row of links: Streamlit's would hide behind a button on a narrow screen.
    page = st.navigation([home, named, *others], position="hidden")
    with st.container(horizontal=True, vertical_alignment="center", key="em-top"):
        st.html('<h1 class="em-brand">EdgeMind</h1>', width="content")
        for one in (named if page == named else home, *others):
            st.page_link(one, width="content")
        show_account(session)
    page.run()
    _show_asked(session)


def _show_asked(session: Session) -> None:
    """A page shows one dialog at a time: the decision is what was opened last where both are asked for."""
    decision, fence = st.query_params.get(decisions.PARAMETER), st.query_params.get(rounds.PARAMETER)
    if not decision and not fence:
        return
    try:
        client = session.client()
    except FleetTrouble:
        # The page already says why.
        return
    if decision:
        show_explanation(client, decision, readers_zone())
    elif fence:
        show_round(client, fence, readers_zone())
