"""The header, the tiles and the table of sites."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from dashboard.history import Flows, added_latency, in_service, requests_per_s
from dashboard.markup.elements import (
    Heading,
    Html,
    bar,
    joined,
    quiet,
    slots,
    span,
    state_sign,
    table,
    tag,
    text,
)
from dashboard.wording import NOTHING, STATES, milliseconds, number, period
from edgemind.domain.fleet_status import FleetStatus, ModelStatus, SiteStatus

_HEADINGS = (
    Heading("Site"),
    Heading("Requests/s", numeric=True),
    Heading("Added p50", numeric=True),
    Heading("Added p99", numeric=True),
    Heading("Shed", numeric=True),
    Heading("Failed", numeric=True),
    Heading("Table age", numeric=True),
    Heading("Slots in use"),
)
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


def tiles(fleet: FleetStatus, flows: Flows, where: str) -> Html:
    """The fleet in six numbers. `where` tells what the latencies were measured on."""
    p50, p99 = added_latency(fleet.sites)
    ages_ms = [site.table_age_ms for site in fleet.sites if site.table_age_ms is not None and in_service(site)]
    counters = [site.gateway.counters for site in fleet.sites if site.gateway]
    lately = period(flows.seconds)
    failed = flows.ended["failed"] if flows.seconds else 0
    one_by_one = [
        _tile("Requests/s", number(requests_per_s(fleet.sites)), "devices of all sites"),
        _tile("Added latency p50", milliseconds(p50), where),
        _tile("Added latency p99", milliseconds(p99), f"worst site, {where}" if where else "worst site"),
        _tile("Shed", number(flows.ended["shed"]), _since(lately, flows, sum(one.shed for one in counters))),
        _tile(
            "Failed", number(flows.ended["failed"]), _since(lately, flows, sum(one.failed for one in counters)), failed
        ),
        _tile("Oldest table", milliseconds(max(ages_ms, default=None)), "routing tables of the sites"),
    ]
    return tag("dl", joined(one_by_one), class_="em-tiles")


def site_table(sites: Sequence[SiteStatus]) -> Html:
    return table("Sites", _HEADINGS, (_row(site) for site in sites), "em-sites")


def _since(lately: str, flows: Flows, total: int) -> str:
    return lately if flows.seconds is None else f"{lately}; {number(total)} since the start"


def _tile(name: str, value: str, note: str, bad: float = 0) -> Html:
    shown = span("em-bad", text(value)) if bad else text(value)
    content = joined([tag("dt", text(name)), tag("dd", shown), tag("dd", text(note), class_="em-quiet")])
    return tag("div", content, class_="em-tile")


def _row(site: SiteStatus) -> dict[str, Html]:
    row = {"Site": _name(site)}
    if not in_service(site):
        # Its last words are not the present: old numbers in a live table are lies.
        return {**row, "Slots in use": quiet(STATES[site.state][1])}
    row["Requests/s"] = text(number(site.requests_per_s))
    row["Slots in use"] = tag("ul", joined(_model(one) for one in site.models), class_="em-models")
    old = site.table_age_ms is not None and site.table_age_ms > OLD_TABLE_MS
    age = text(milliseconds(site.table_age_ms))
    row["Table age"] = span("em-bad", age) if old else age
    counted = site.gateway.counters if site.gateway else None
    row["Added p50"] = text(milliseconds(counted.added_ms_p50) if counted else NOTHING)
    row["Added p99"] = text(milliseconds(counted.added_ms_p99) if counted else NOTHING)
    row["Shed"] = text(number(counted.shed if counted else None))
    row["Failed"] = text(number(counted.failed if counted else None))
    return row


def _name(site: SiteStatus) -> Html:
    sign, meaning = STATES[site.state]
    state = tag("span", joined([state_sign(site.state, sign), text(f" {site.state.value}")]), title=meaning)
    away = quiet(f"{milliseconds(site.rtt_ms)} away") if site.rtt_ms is not None else Html("")
    return joined([span("em-name", text(site.name)), span("em-state", joined([state, away]))])


def _model(one: ModelStatus) -> Html:
    ratio = one.in_flight / one.slots if one.slots else 0.0
    used = slots(one.in_flight, one.slots) if one.ready else span("em-bad", text("not ready"))
    full = "em-full" if ratio >= 1 else ""
    return tag("li", joined([span("em-model", text(one.model)), bar(ratio, full), used]))
