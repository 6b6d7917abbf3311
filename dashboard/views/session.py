"""Whom a browser tab asks, and with whose rights."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from dashboard.client import FleetClient
from dashboard.connection import Connection, Flags, find_fleet, read_flags
from dashboard.people import Person, person_of, token_of
from dashboard.trouble import FleetTrouble
from edgemind.settings import load_client_settings

TOKEN = "fleet_token"
"""Of this tab only: what a person pasted is on no disk and in no address."""


@dataclass(frozen=True, slots=True)
class Session:
    """`arguments` are what follows `--` on Streamlit's command line. The fleet is looked up anew at each refresh."""

    arguments: tuple[str, ...]

    @property
    def flags(self) -> Flags:
        """Raises FleetTrouble."""
        return read_flags(self.arguments)

    def page_connection(self) -> Connection:
        """The page's own: what everybody who sees the page may read. Raises FleetTrouble."""
        found = find_fleet(self.flags, load_client_settings())
        if self.flags.people_file is not None:
            # Where people sign in, they read with their own rights.
            return replace(found, token=_persons_token(self.flags.people_file))
        return found if found.token else replace(found, token=self.pasted)

    def own_connection(self) -> Connection:
        """With the rights of who is signed in, to change things. Raises FleetTrouble."""
        found = self.page_connection()
        return replace(found, token=self.pasted) if self.pasted else found

    def client(self) -> FleetClient:
        """Shared by all who read with the same token. Raises FleetTrouble if no fleet is known."""
        return _client_of(self.page_connection())

    def own_client(self) -> FleetClient:
        return _client_of(self.own_connection())

    @property
    def pasted(self) -> str | None:
        return st.session_state.get(TOKEN) or None


def session_of(arguments: Sequence[str]) -> Session:
    return Session(tuple(arguments))


def signed_in_as() -> Person | None:
    """Who signed in with an identity provider, if anybody did."""
    return person_of(st.user.to_dict()) if st.user.get("is_logged_in") else None


def _persons_token(people: Path) -> str:
    person = signed_in_as()
    if person is None:
        raise FleetTrouble("Nobody is signed in", "Sign in above: this page shows a fleet to known people only.")
    try:
        return token_of(person, people)
    except (OSError, json.JSONDecodeError) as exc:
        raise FleetTrouble("The file of people cannot be read", f"{people}: {exc}. Correct --people-file.") from exc


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={Connection: lambda one: (one.url, one.token)})
def _client_of(connection: Connection) -> FleetClient:
    """One for all tabs: they share its cache and its history."""
    return FleetClient(connection)
