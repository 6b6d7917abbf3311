"""The map of the sites: their states as shapes, their names where there is room."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.geography import TALL, WIDE, labelled, land_path, window_of
from dashboard.verdict import URGENCY
from dashboard.wording import STATES, listed, number
from edgemind.domain.fleet_status import FleetStatus, SiteStatus
from edgemind.domain.kpi import Level
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import AlertStatus

_LEVELS = {
    SiteState.ALIVE: Level.OK,
    SiteState.DRAINING: Level.INFO,
    SiteState.DECLARED: Level.UNKNOWN,
    SiteState.SUSPECTED: Level.CRITICAL,
    SiteState.GONE: Level.CRITICAL,
}


def show_map(fleet: FleetStatus, alerts: Sequence[AlertStatus]) -> None:
    placed = [site for site in fleet.sites if site.position is not None]
    if not placed:
        st.caption("No site says where it is: give it a `position` with latitude and longitude in edgemind.yaml.")
        return
    _component()(key="site-map", data=map_data(placed, alerts))
    st.html(
        '<p class="em-legend">'
        '<span class="em-legend-item"><span class="em-sign em-level-ok">●</span>in service</span>'
        '<span class="em-legend-item"><span class="em-sign em-level-warning">▲</span>has an alert</span>'
        '<span class="em-legend-item"><span class="em-sign em-level-critical">✕</span>silent, or critical</span>'
        '<span class="em-legend-item"><span class="em-sign em-level-info">◆</span>drained</span></p>'
    )
    missing = [site.name for site in fleet.sites if site.position is None]
    if missing:
        st.text(f"Not on the map, for they have no position in edgemind.yaml: {listed(missing)}.")


def map_data(sites: Sequence[SiteStatus], alerts: Sequence[AlertStatus]) -> dict[str, Any]:
    """What the component draws, the most troubled last, so that they lie above the others."""
    levels = {site.name: _level(site, alerts) for site in sites}
    order = sorted(sites, key=lambda site: (URGENCY[levels[site.name]], site.name))
    window = window_of([(site.position.longitude, site.position.latitude) for site in sites if site.position])
    places = {
        site.name: window.place(site.position.longitude, site.position.latitude) for site in sites if site.position
    }
    names = labelled([(site.name, places[site.name]) for site in reversed(order)])
    troubled = [name for name, level in levels.items() if URGENCY[level] >= URGENCY[Level.WARNING]]
    drawn = [
        {
            "x": round(places[site.name][0], 1),
            "y": round(places[site.name][1], 1),
            "level": levels[site.name].value,
            "label": site.name[:24] if site.name in names else "",
            "title": f"{site.name}: {STATES[site.state][1]}; {number(site.requests_per_s)} requests/s",
        }
        for site in order
    ]
    said = f"Map of {len(sites)} sites; in trouble: {listed(troubled) if troubled else 'none'}"
    return {"wide": WIDE, "tall": TALL, "land": land_path(window), "said": said, "sites": drawn}


def _level(site: SiteStatus, alerts: Sequence[AlertStatus]) -> Level:
    own = _LEVELS[site.state]
    if own is not Level.OK:
        return own
    told = [alert.level for alert in alerts if alert.site == site.name]
    return max(told, key=URGENCY.__getitem__, default=Level.OK) if told else own


@st.cache_resource
def _component() -> Callable[..., Any]:
    """Registered once a process."""
    here = Path(__file__).parent
    return st.components.v2.component(
        "edgemind_site_map",
        css=(here / "site_map.css").read_text(encoding="utf-8"),
        js=(here / "site_map.js").read_text(encoding="utf-8"),
    )
