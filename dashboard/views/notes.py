"""Quiet lines that hold words of the fleet: Streamlit's captions are Markdown, in which a name could load a picture."""

import streamlit as st

from dashboard.markup.elements import quiet, tag


def note(said: str) -> None:
    st.html(tag("p", quiet(said)))
