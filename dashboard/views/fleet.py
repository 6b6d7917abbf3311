"""The fleet: header, tiles, trend, sites, and where requests go."""

from datetime import tzinfo
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

from dashboard.charts import latency_chart, requests_chart
from dashboard.client import Reading
from dashboard.history import Flows, TrendPoint
from dashboard.markup.flows import flow_matrix, reasons
from dashboard.markup.sites import header, site_table, tiles
from dashboard.views.moments import moment
from dashboard.wording import period
from edgemind.domain.fleet_status import FleetStatus

SITES_BESIDE = 5
"""Up to so many, the matrix of flows needs no more than half the page."""


def show_fleet(fleet: FleetStatus, reading: Reading, zone: tzinfo) -> None:
    st.html(header(fleet, moment(fleet.at_ms, zone)))
    if not fleet.sites:
        st.info("This fleet has no site yet. Add one under `sites:` in edgemind.yaml; it appears here by itself.")
        return
    st.html(tiles(fleet, reading.flows, measured_on(fleet)))
    _show_trend(reading.trend)
    st.subheader("Sites", anchor=False)
    st.caption("Added latency is of the last seconds; shed and failed count since the site's gateways started.")
    st.html(site_table(fleet.sites))
    _show_flows(fleet, reading.flows)


def measured_on(fleet: FleetStatus) -> str:
    """`local` if the whole fleet is on this machine: a laptop's latencies are not those of a fleet."""
    urls = [site.gateway_url or site.controller_url for site in fleet.sites]
    return "local" if all(url is not None and _is_loopback(url) for url in urls) else ""


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _show_trend(trend: tuple[TrendPoint, ...]) -> None:
    if len(trend) < 2:
        return
    left, right = st.columns(2)
    with left:
        st.subheader("Requests/s", anchor=False)
        st.altair_chart(requests_chart(trend), width="stretch", key="requests")
    with right:
        st.subheader("Added latency, ms", anchor=False)
        st.altair_chart(latency_chart(trend), width="stretch", key="latency")


def _show_flows(fleet: FleetStatus, flows: Flows) -> None:
    wide = len(fleet.sites) > SITES_BESIDE
    left, right = (st.container(), st.container()) if wide else st.columns(2, gap="large")
    lately = period(flows.seconds)
    with left:
        st.subheader("Where requests ran", anchor=False)
        if any(counts.total() for counts in flows.by_ingress.values()):
            st.caption(f"Rows: the site that was asked. Columns: where it ran, {lately}.")
            st.html(flow_matrix(flows, [site.name for site in fleet.sites]))
        else:
            st.caption(f"No request {lately}.")
    with right:
        st.subheader("Why there", anchor=False)
        st.caption(f"Reasons of the decisions, {lately}.")
        st.html(reasons(flows))
