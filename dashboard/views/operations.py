"""The operations view: what is wrong and where, how the swarm copes, and what a person may do about it."""

import streamlit as st

from dashboard.charts import site_lines
from dashboard.markup.alerts import alert_table
from dashboard.markup.flows import flow_matrix, reasons
from dashboard.markup.placement import placement_table
from dashboard.markup.sites import site_table
from dashboard.resources import ALERTS, ALERTS_SHOWN, ROUNDS, SERIES
from dashboard.trends import busiest, series_of, whole_trend
from dashboard.verdict import firing
from dashboard.views.actions import show_actions
from dashboard.views.charts import show_trend
from dashboard.views.live import REFRESH_S, Look, look, look_below, told
from dashboard.views.moments import moment, readers_zone
from dashboard.views.notes import note
from dashboard.views.rounds import show_rounds
from dashboard.views.scenarios import show_scenarios
from dashboard.views.session import Session
from dashboard.views.site_map import show_map
from dashboard.wording import listed, period
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, SeriesPage

SERIES_NAMES = {
    "requests_per_s": "Requests/s",
    "added_ms_p99": "Added latency p99, ms",
    "busy_ratio": "Busy ratio",
    "in_flight": "In flight",
    "shed_per_s": "Shed/s",
}
STANDING_OUT = 6
ROUNDS_SHOWN = 5
SITES_BESIDE = 5
"""Up to so many, the matrix of flows needs no more than half the page."""


def show(session: Session) -> None:
    _head(session)
    # Not in a part that refreshes itself: it would close the dialogs that are opened here.
    show_actions(session)
    _body(session)


@st.fragment(run_every=REFRESH_S)
def _head(session: Session) -> None:
    if look(session) is not None:
        show_scenarios(session)


@st.fragment(run_every=REFRESH_S)
def _body(session: Session) -> None:
    seen = look_below(session)
    if seen is None:
        return
    zone = readers_zone()
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.subheader("Where the sites are", anchor=False)
        show_map(seen.fleet, firing(seen.alerts))
    with right:
        st.subheader("Alerts", anchor=False)
        _show_alerts(seen)
    series = seen.client.read(SERIES)
    rounds = seen.client.read(ROUNDS).value
    st.subheader("How the swarm copes", anchor=False)
    show_trend(whole_trend(series.value, seen.client.trend()), rounds.rounds if rounds else (), "operations")
    if rounds is not None and rounds.rounds:
        show_rounds(rounds, zone, ROUNDS_SHOWN)
    st.subheader("Sites", anchor=False)
    kept = told(series, "Series")
    st.caption("Areas: the last quarter of an hour. Shed and failed count since the site's gateways started.")
    st.html(site_table(seen.fleet.sites, kept))
    if kept is not None:
        _show_lines(kept)
    st.subheader("Which site serves which model", anchor=False)
    st.caption("Requests under way of the slots that are there; waiting ones beside them.")
    st.html(placement_table(seen.fleet.sites))
    _show_flows(seen)


def _show_alerts(seen: Look) -> None:
    page = told(seen.client.read(ALERTS), "Alerts")
    if page is None:
        return
    alerts = [one for one in page.alerts if one.level is not Level.OK][:ALERTS_SHOWN]
    if not any(one.state is AlertState.FIRING for one in alerts):
        st.caption("None is firing.")
    if page.unreachable:
        note(f"Without those of {listed(page.unreachable)}: not reached just now.")
    if alerts:
        with st.container(height=330, border=False) if len(alerts) > SITES_BESIDE else st.container():
            st.html(alert_table(alerts, seen.fleet.at_ms))
    if len(page.alerts) > ALERTS_SHOWN:
        st.caption(f"The worst {ALERTS_SHOWN} of {len(page.alerts)}.")


def _show_lines(series: SeriesPage) -> None:
    # Imported late: it registers its component with a running server.
    from streamlit_echarts import st_echarts

    chosen = st.segmented_control(
        "Site by site", list(SERIES_NAMES), default="requests_per_s", format_func=SERIES_NAMES.__getitem__, key="series"
    )
    values = series_of(series, chosen or "requests_per_s")
    first = busiest(values, STANDING_OUT)
    zone = readers_zone()
    moments = [f"{moment(series.first_ms + at * series.step_ms, zone):%H:%M:%S}" for at in range(series.steps)]
    if len(values) > len(first):
        st.caption(f"Coloured: the {len(first)} sites with the greatest values now; the others are grey.")
    st_echarts(site_lines(values, moments, first), height="240px", key="site-lines")


def _show_flows(seen: Look) -> None:
    flows = seen.client.flows()
    wide = len(seen.fleet.sites) > SITES_BESIDE
    left, right = (st.container(), st.container()) if wide else st.columns(2, gap="large")
    lately = period(flows.seconds)
    with left:
        st.subheader("Where requests ran", anchor=False)
        if any(counts.total() for counts in flows.by_ingress.values()):
            st.caption(f"Rows: the site that was asked. Columns: where it ran, {lately}.")
            st.html(flow_matrix(flows, [site.name for site in seen.fleet.sites]))
        else:
            st.caption(f"No request {lately}.")
    with right:
        st.subheader("Why there", anchor=False)
        st.caption(f"Reasons of the decisions, {lately}.")
        st.html(reasons(flows))
