"""One round, in a dialog over the page."""

from datetime import tzinfo

import streamlit as st

from dashboard.client import FleetClient
from dashboard.markup.round import effects, replay_table, replay_words, round_story, steps, tally_table, votes
from dashboard.trouble import FleetTrouble
from dashboard.views.moments import moment
from dashboard.views.rounds import PARAMETER
from edgemind.domain.swarm.replay import replay


def show_round(client: FleetClient, fence: str, zone: tzinfo) -> None:
    # The headline of a dialog is Markdown, and the address of a page may hold anything.
    st.dialog("What the swarm decided", width="large", on_dismiss=_forget)(_draw)(client, fence, zone)


def _forget() -> None:
    st.query_params.pop(PARAMETER, None)


def _draw(client: FleetClient, fence: str, zone: tzinfo) -> None:
    st.code(f"round {fence}", language=None)
    try:
        record, unreachable = client.round(fence)
    except FleetTrouble as trouble:
        st.warning(trouble.headline)
        st.text(str(trouble))
        st.button("Look again")
        return
    st.html(round_story(record, f"{moment(record.at_ms, zone):%H:%M:%S}"))
    if unreachable:
        st.text(f"What {', '.join(unreachable)} voted from and did is missing: not reached just now.")
    st.markdown("##### Candidates and ballots")
    st.caption("5 points for a first place to 1 for a fifth; the columns of sites hold places on their ballots.")
    st.html(tally_table(record))
    st.markdown("##### Votes, and what was asked for them")
    st.html(votes(record))
    st.markdown("##### Effects")
    st.html(effects(record))
    checks = replay(record)
    st.markdown("##### Replay")
    st.text(replay_words(checks))
    with st.expander("Every step of the replay, and when each step of the round was done"):
        st.html(replay_table(checks))
        st.html(steps(record))
