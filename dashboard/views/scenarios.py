"""Scenarios of the demo, started from the page: the demo's devices then really do it, and processes really die."""

import streamlit as st

from dashboard.connection import Connection, find_control
from dashboard.scenario_control import Stage, read_stage, start_scenario
from dashboard.trouble import FleetTrouble
from dashboard.views.session import Session
from dashboard.wording import ago

NORMAL = "normal"


def show_scenarios(session: Session) -> None:
    """Part of a view that refreshes itself."""
    control = find_control(session.page_connection().url)
    if control is None:
        st.caption("No scenarios here: they are the demo's, and this fleet is no demo of this folder.")
        return
    try:
        stage = read_stage(control)
    except FleetTrouble as trouble:
        st.text(f"Scenarios: {trouble.headline}.")
        return
    with st.container(border=True, key="em-scenarios"):
        with st.container(horizontal=True, vertical_alignment="center"):
            _show_stage(stage)
            chosen = _show_choice(control, stage)
        st.caption(stage.told[0] if stage.told and stage.playing != NORMAL else chosen)
        if refused := st.session_state.pop("scenario_refused", None):
            st.text(refused)


def _show_stage(stage: Stage) -> None:
    if stage.lasts_s is None:
        since = f"for {ago(stage.elapsed_s * 1000)}"
    else:
        since = f"{min(stage.elapsed_s, stage.lasts_s):.0f} of {stage.lasts_s:.0f} s, then normal again"
    st.markdown(f"Demo traffic: **{stage.playing}**, {since}", width="content")


def _show_choice(control: Connection, stage: Stage) -> str:
    """What the chosen scenario is, in a sentence."""
    texts = {one.name: one.text for one in stage.scenarios if one.possible}
    chosen = st.selectbox(
        "Scenario", list(texts), index=min(1, len(texts) - 1), key="scenario", width=200, label_visibility="collapsed"
    )
    if st.button("Start it", key="start-scenario", type="primary"):
        _start(control, chosen)
    if stage.playing != NORMAL and st.button("Back to normal", key="stop-scenario"):
        _start(control, NORMAL)
    return f"{chosen}: {texts.get(chosen, '')}"


def _start(control: Connection, name: str) -> None:
    try:
        start_scenario(control, name)
    except FleetTrouble as trouble:
        st.session_state["scenario_refused"] = f"{trouble.headline}: {trouble}"
    st.rerun(scope="fragment")
