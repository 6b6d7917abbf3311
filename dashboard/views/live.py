"""What every view begins with: the fleet as it is, how old that is, and what is wrong with it or with reading it."""

import time
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from dashboard.client import FleetClient, Reading
from dashboard.markup.kpis import verdict_banner
from dashboard.markup.sites import header
from dashboard.resources import ALERTS, FLEET, KPIS
from dashboard.trouble import FleetTrouble, NotOffered, Unreachable
from dashboard.verdict import Verdict, verdict
from dashboard.views.moments import moment, readers_zone
from dashboard.views.session import Session
from dashboard.wording import LEVELS, ago, milliseconds
from edgemind.domain.fleet_status import FleetStatus
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertPage, KpiList

REFRESH_S = 2.0
SKEW_MS = 5000.0
"""Clocks further apart than this are told: the times on the page are the fleet's."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """One refresh of a view. `kpis` and `alerts` are None where the fleet does not tell them."""

    client: FleetClient
    fleet: FleetStatus
    kpis: KpiList | None
    alerts: AlertPage | None


def look_below(session: Session) -> Look | None:
    """What is below the head, which says why if this is None."""
    try:
        client = session.client()
    except FleetTrouble:
        return None
    fleet = client.read(FLEET).value
    if fleet is None or not fleet.sites:
        return None
    return Look(client, fleet, client.read(KPIS).value, client.read(ALERTS).value)


def look(session: Session) -> Look | None:
    """Draws the head of a view; None if there is no fleet to show below it, and the page says why."""
    # Everything is read before anything is drawn: while it waits, the page shows what it showed before.
    try:
        client = session.client()
    except FleetTrouble as trouble:
        _show_trouble(trouble)
        return None
    reading = client.read(FLEET)
    kpis, alerts = client.read(KPIS), client.read(ALERTS)
    if reading.trouble is not None:
        _show_trouble(reading.trouble, reading.age_s if reading.value is not None else None)
    fleet = reading.value
    if fleet is None:
        return None
    if not fleet.sites:
        st.info("This fleet has no site yet. Add one under `sites:` in edgemind.yaml; it appears here by itself.")
        return None
    st.html(verdict_banner(_judged(fleet, reading, kpis, alerts)))
    _show_header(fleet, reading)
    return Look(client, fleet, kpis.value, alerts.value)


def told(reading: Reading[T], name: str) -> T | None:
    """What was read, with a line about it where it is old or not to be had."""
    trouble = reading.trouble
    if trouble is not None and not isinstance(trouble, Unreachable):
        old = f" What is shown was read {ago(reading.age_s * 1000)} ago." if reading.value is not None else ""
        said = str(trouble) if isinstance(trouble, NotOffered) else f"{name}: {trouble.headline}. {trouble}"
        # As text: it holds addresses and file names, which are no Markdown.
        st.text(f"{said}{old}")
    return reading.value


def _judged(
    fleet: FleetStatus, reading: Reading[FleetStatus], kpis: Reading[KpiList], alerts: Reading[AlertPage]
) -> Verdict:
    if reading.trouble is not None:
        return _as_of(verdict(fleet, alerts.value, kpis.value), reading)
    unread = [name for name, one in (("alerts", alerts), ("KPIs", kpis)) if _failed(one.trouble)]
    return verdict(fleet, alerts.value, kpis.value, unread)


def _failed(trouble: FleetTrouble | None) -> bool:
    """What a fleet of an older version does not have is no failure."""
    return trouble is not None and not isinstance(trouble, NotOffered)


def _as_of(seen: Verdict, reading: Reading[FleetStatus]) -> Verdict:
    """What was well may not be so any more: nobody answers."""
    was = f"When it was heard last, {ago(reading.age_s * 1000)} ago: {seen.headline}"
    return Verdict(Level.UNKNOWN, "Nothing is known of the fleet just now", (was, *seen.more))


def _show_header(fleet: FleetStatus, reading: Reading[FleetStatus]) -> None:
    skew_ms = fleet.at_ms - time.time() * 1000.0 + reading.age_s * 1000.0
    st.html(header(fleet, moment(fleet.at_ms, readers_zone())))
    if abs(skew_ms) > SKEW_MS:
        side = "ahead of" if skew_ms > 0 else "behind"
        st.text(f"▲ The clock of {fleet.asked} is {ago(abs(skew_ms))} {side} this page's; times below are the fleet's.")


def _show_trouble(trouble: FleetTrouble, age_s: float | None = None) -> None:
    sign, _ = LEVELS[Level.CRITICAL]
    old = "" if age_s is None else f" What is below was read {milliseconds(age_s * 1000)} ago."
    with st.container(border=True, key="em-trouble"):
        st.markdown(f"**{sign} {trouble.headline}**")
        # As text: it holds addresses and file names, which are no Markdown.
        st.text(str(trouble))
        st.caption(f"The page looks again every {REFRESH_S:g} s and goes on by itself.{old}")
