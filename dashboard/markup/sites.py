"""The header and the table of sites."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from dashboard.history import in_service
from dashboard.markup.elements import (
    Heading,
    Html,
    joined,
    quiet,
    span,
    state_sign,
    table,
    tag,
    text,
)
from dashboard.markup.kpis import spark
from dashboard.wording import NOTHING, STATES, milliseconds, number, share
from edgemind.domain.fleet_status import FleetStatus, SiteStatus
from edgemind.domain.operations_status import SeriesPage

_HEADINGS = (
    Heading("Site"),
    Heading("Requests/s", numeric=True),
    Heading("Added p50", numeric=True),
    Heading("Added p99", numeric=True),
    Heading("Slots in use", numeric=True),
    Heading("Shed", numeric=True),
    Heading("Failed", numeric=True),
    Heading("Table age", numeric=True),
)
_SPARKS = {
    "Requests/s": "requests_per_s",
    "Added p99": "added_ms_p99",
    "Slots in use": "busy_ratio",
    "Shed": "shed_per_s",
}
"""Columns with a picture of the last quarter of an hour, and the series that it shows."""
CELL_POINTS = 12
OLD_TABLE_MS = 2000.0
"""Tables are made a few times a second: one this old comes from a controller in trouble."""


def header(fleet: FleetStatus, at: datetime) -> Html:
    """Which fleet, how many sites are in which state, and of when this is."""
    counted = Counter(site.state for site in fleet.sites)
    states = joined(
        span("em-state", joined([state_sign(state, sign), text(f" {counted[state]} {state.value}")]))
        for state, (sign, _) in STATES.items()
        if counted[state]
    )
    seen = quiet(f"metro {fleet.metro}, seen from {fleet.asked} at {at:%H:%M:%S}")
    return tag("div", joined([states, seen]), class_="em-header")


def site_table(sites: Sequence[SiteStatus], series: SeriesPage | None = None) -> Html:
    """`series` None: without the pictures of the last quarter of an hour. Sites that do not answer come first."""
    values = {one.site: one.values for one in series.sites} if series else {}
    order = sorted(sites, key=in_service)
    return table("Sites", _HEADINGS, (_row(site, values.get(site.name, {})) for site in order), "em-sites")


def _row(site: SiteStatus, values: Mapping[str, Sequence[float | None]]) -> dict[str, Html]:
    row = {"Site": _name(site)}
    if not in_service(site):
        # Its last words are not the present: old numbers in a live table are lies.
        return row
    counted = site.gateway.counters if site.gateway else None
    in_flight, held = sum(one.in_flight for one in site.models), sum(one.slots for one in site.models)
    old = site.table_age_ms is not None and site.table_age_ms > OLD_TABLE_MS
    age = text(milliseconds(site.table_age_ms))
    row |= {
        "Requests/s": text(number(site.requests_per_s)),
        "Added p50": text(milliseconds(counted.added_ms_p50) if counted else NOTHING),
        "Added p99": text(milliseconds(counted.added_ms_p99) if counted else NOTHING),
        "Slots in use": text(share(in_flight, held)),
        "Shed": text(number(counted.shed if counted else None)),
        "Failed": text(number(counted.failed if counted else None)),
        "Table age": span("em-bad", age) if old else age,
    }
    for column, name in _SPARKS.items():
        if name in values:
            row[column] = joined([spark(values[name], "em-spark-cell", CELL_POINTS), span("em-beside", row[column])])
    return row


def _name(site: SiteStatus) -> Html:
    sign, meaning = STATES[site.state]
    state = tag("span", joined([state_sign(site.state, sign), text(f" {site.state.value}")]), title=meaning)
    if not in_service(site):
        return joined([span("em-name", text(site.name)), span("em-state em-bad", joined([state, text(meaning)]))])
    away = quiet(f"{milliseconds(site.rtt_ms)} away") if site.rtt_ms is not None else Html("")
    return joined([span("em-name", text(site.name)), span("em-state", joined([state, away]))])
