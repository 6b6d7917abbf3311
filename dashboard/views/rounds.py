"""The list of the swarm's rounds; a click opens one."""

from datetime import tzinfo

import streamlit as st

from dashboard.views.click_list import Column, click_list
from dashboard.views.moments import moment
from dashboard.views.notes import note
from dashboard.wording import NOTHING, listed, milliseconds
from edgemind.domain.swarm.summaries import RoundPage, RoundSummary

PARAMETER = "round"
"""Of the page's address."""
COLUMNS = (
    Column("round", "Round"),
    Column("time", "Time"),
    Column("breach", "Breach"),
    Column("told", "Outcome"),
    Column("decided", "Decided in", numeric=True),
    Column("ballots", "Ballots", numeric=True),
    Column("coordinator", "Coordinator", narrow=False),
    Column("effects", "Effects"),
)


def show_rounds(page: RoundPage, zone: tzinfo, most: int) -> None:
    if not page.rounds:
        st.caption("The swarm has held no round yet: nothing breached its targets, and nobody asked for one.")
        return
    missing = f" Without what {listed(page.unreachable)} would tell." if page.unreachable else ""
    note(f"What the sites decided together, newest first; a click opens ballots, votes and the replay.{missing}")
    rows = [row(one, zone) for one in page.rounds[:most]]
    click_list("rounds", "Rounds of the swarm, newest first", COLUMNS, rows, PARAMETER)


def row(one: RoundSummary, zone: tzinfo) -> dict[str, str | bool]:
    counted = NOTHING if one.ballots is None else f"{one.ballots}/{one.voters}"
    breach = f"{one.model} at {one.breached}" if one.breached and one.model else one.breached or one.model or NOTHING
    failed = any(effect.state in {"failed", "refused"} for effect in one.effects)
    bad = "told" if one.timed_out or one.outcome is None else "effects" if failed else ""
    return {
        "id": one.fence,
        "round": one.fence,
        "time": f"{moment(one.at_ms, zone):%H:%M:%S}",
        "breach": breach,
        "told": one.told,
        "decided": milliseconds(one.decided_ms),
        "ballots": counted,
        "coordinator": one.coordinator or NOTHING,
        "effects": ", ".join(f"{effect.site} {effect.state}" for effect in one.effects),
        "bad": bad,
    }
