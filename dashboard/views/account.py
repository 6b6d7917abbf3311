"""Who is signed in, with which rights, and how to sign in with others."""

import streamlit as st
from streamlit.errors import StreamlitAPIException, StreamlitAuthError

from dashboard.people import Person
from dashboard.resources import WHOAMI
from dashboard.trouble import FleetTrouble
from dashboard.views.session import TOKEN, Session, signed_in_as

ROLES = frozenset({"viewer", "advisor", "operator", "admin"})


def show_account(session: Session) -> None:
    """A button at the right end of the header."""
    role = role_of(session)
    person = signed_in_as()
    with st.popover(f"Signed in: {role}" if role else "Sign in", width="content"):
        if person is not None:
            st.text(str(person))
        st.text(_said(session, role))
        if session.pasted:
            st.button("Sign out of this token", on_click=_use, args=(None,))
        else:
            st.text_input("Another token of the fleet", type="password", key="pasted_token", on_change=_use_pasted)
            st.caption(
                "An operator's may drain sites and force rounds. The demo keeps it in .edgemind/demo/operator.token."
            )
        _show_provider(person)


def role_of(session: Session) -> str | None:
    """The role of who is signed in; None where the fleet does not tell, or nobody answers."""
    try:
        known = session.own_client().read(WHOAMI).value
    except FleetTrouble:
        return None
    # Part of a label, which is Markdown: a word that is none of these is not shown.
    return known.role if known and known.role in ROLES else None


def _said(session: Session, role: str | None) -> str:
    whose = "the token that you gave" if session.pasted else "this page's own token"
    return f"You use {whose}; its role is {role}." if role else f"You use {whose}; the fleet does not tell its role."


def _show_provider(person: Person | None) -> None:
    """Streamlit's own sign-in, where `.streamlit/secrets.toml` names an identity provider."""
    if person is not None:
        st.button("Sign out", on_click=st.logout)
    elif _provider_configured():
        st.button("Sign in with your organisation", on_click=_sign_in)
        if refused := st.session_state.pop("sign_in_refused", None):
            st.text(refused)


def _provider_configured() -> bool:
    try:
        return "auth" in st.secrets
    except (FileNotFoundError, StreamlitAPIException):
        return False


def _sign_in() -> None:
    try:
        st.login()
    except StreamlitAuthError as exc:
        st.session_state["sign_in_refused"] = str(exc)


def _use_pasted() -> None:
    given = st.session_state.pop("pasted_token", "")
    _use(given.strip() or None)


def _use(token: str | None) -> None:
    if token is None or (token.isascii() and token.isprintable()):
        st.session_state[TOKEN] = token
