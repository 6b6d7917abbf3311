"""The swarm's newest rounds; nothing while there has been none."""

from datetime import tzinfo

import streamlit as st

from dashboard.markup.rounds import round_table
from edgemind.domain.swarm.summaries import RoundPage


def show_rounds(page: RoundPage, zone: tzinfo) -> None:
    if not page.rounds:
        return
    st.subheader("Rounds", anchor=False)
    missing = f" Without what {', '.join(page.unreachable)} would tell." if page.unreachable else ""
    st.caption(f"What the sites decided together, newest first; `edgemind rounds explain` tells why.{missing}")
    st.html(round_table(page.rounds, zone))
