"""What a person may do about the fleet: each asks once more, goes through the fleet API, and says what came of it."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

import streamlit as st

from dashboard.client import act
from dashboard.resources import FLEET
from dashboard.trouble import FleetTrouble
from dashboard.views.account import role_of
from dashboard.views.session import Session
from dashboard.wording import STATES
from edgemind.domain.fleet_status import FleetStatus
from edgemind.domain.membership import SiteState

MAY_ACT = frozenset({"operator", "admin"})
OUTCOME = "action_outcome"


def show_actions(session: Session) -> None:
    """A row of buttons, each with a dialog; who may not act is told before, and the fleet API decides in any case."""
    role = role_of(session)
    dialogs: tuple[tuple[str, Callable[[Session, FleetStatus], None]], ...] = (
        ("Drain or return a site", _drain),
        ("Force a round", _force_round),
        ("Pause or resume advice", _advice),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, draw in dialogs:
            if st.button(f"{title} …", key=f"open {title}"):
                _open(title, draw, session)
        if role is not None and role not in MAY_ACT:
            st.caption(f"As {role} you will be refused: sign in with an operator's token, at the top.", width="content")
    _show_outcome()


def _open(title: str, draw: Callable[[Session, FleetStatus], None], session: Session) -> None:
    try:
        fleet = session.client().read(FLEET).value
    except FleetTrouble:
        fleet = None
    if fleet is None or not fleet.sites:
        st.session_state[OUTCOME] = (False, "Nothing can be done just now: no fleet answers.")
        return
    st.dialog(title)(draw)(session, fleet)


def _drain(session: Session, fleet: FleetStatus) -> None:
    states = {site.name: site.state for site in fleet.sites}
    name = st.selectbox("Site", list(states), format_func=lambda one: f"{one} ({STATES[states[one]][1]})")
    back = states[name] is SiteState.DRAINING
    if back:
        st.text(
            f"{name} takes new requests again, at its own gateways within 100 ms and from neighbours within 200 ms."
        )
    else:
        st.text(f"{name} finishes what it has; its devices are served elsewhere, and neighbours send it nothing new.")
    verb = "undrain" if back else "drain"
    label = "Yes, return it to service" if back else "Yes, drain it"
    _confirm(
        label, session, f"sites/{quote(name, safe='')}/{verb}", {}, f"{name}: {'returned' if back else 'drained'}."
    )


def _force_round(session: Session, fleet: FleetStatus) -> None:
    own = next((site for site in fleet.sites if site.name == fleet.asked), fleet.sites[0])
    model = st.selectbox("Model", [one.model for one in own.models], placeholder="no model is held there")
    st.text(f"The swarm is asked about this model of {own.name} without a breach; it may well keep things as they are.")
    if model is not None:
        done = f"The swarm was asked about {model} at {own.name}; its round appears above."
        _confirm("Yes, ask the swarm", session, "rounds", {"model": model}, done)


def _advice(session: Session, _: FleetStatus) -> None:
    verb = st.radio("Advice", ["pause", "resume"], horizontal=True, label_visibility="collapsed")
    if verb == "pause":
        st.text("Nothing that agents propose takes effect until it is resumed; routing and rounds go on unchanged.")
    else:
        st.text("What agents propose, within its bounds, may take effect again.")
    _confirm(f"Yes, {verb} advice", session, f"advice/{verb}", {}, f"Advice: {verb}d.")


def _confirm(label: str, session: Session, path: str, body: Mapping[str, object], done: str) -> None:
    # As a callback: it is done even if the dialog is made anew between its being shown and the click.
    if st.button(label, type="primary", key="confirm", on_click=_carry_out, args=(session, path, body, done)):
        st.rerun()


def _carry_out(session: Session, path: str, body: Mapping[str, object], done: str) -> None:
    try:
        act(session.own_connection(), path, body)
        session.client().forget()
        st.session_state[OUTCOME] = (True, done)
    except FleetTrouble as trouble:
        st.session_state[OUTCOME] = (False, f"{trouble.headline}. {trouble}")


def _show_outcome() -> None:
    """Of the last action, until the next one."""
    outcome = st.session_state.get(OUTCOME)
    if outcome is None:
        return
    done, said = outcome
    with st.container(border=True, key="em-outcome"):
        st.markdown("**● Done**" if done else "**✕ Refused**")
        # As text: it may hold the names of sites and models.
        st.text(said)
