"""The executive view: is it well, what does it do, and which promises are kept. To be read in five seconds."""

import streamlit as st

from dashboard.markup.alerts import alert_table
from dashboard.markup.elements import Html
from dashboard.markup.kpis import kpi_tile, number_tile, tiles
from dashboard.resources import ALERTS, KPIS, SERIES
from dashboard.trends import TrendPoint, whole_trend
from dashboard.verdict import firing
from dashboard.views.charts import show_trend
from dashboard.views.live import REFRESH_S, Look, look, told
from dashboard.views.notes import note
from dashboard.views.session import Session
from dashboard.wording import number, percent
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, KpiStatus

HEADLINES = ("slo_attainment_ratio", "availability_ratio", "spend_ratio")
INCIDENT_LEVELS = (Level.CRITICAL, Level.WARNING)
INCIDENTS_SHOWN = 8


@st.fragment(run_every=REFRESH_S)
def show(session: Session) -> None:
    seen = look(session)
    if seen is None:
        return
    trend = whole_trend(seen.client.read(SERIES).value, seen.client.trend())
    kpis = {kpi.name: kpi for kpi in seen.kpis.kpis} if seen.kpis else {}
    st.html(tiles([*_numbers(seen, trend), *_targets(kpis)]))
    listed = told(seen.client.read(KPIS), "KPIs")
    if listed is not None:
        note(f"Targets of the {listed.tier.value} tier; measured by {listed.asked}, {listed.measured}.")
    _show_incidents(seen)
    st.subheader("Demand and delay", anchor=False)
    show_trend(trend, (), "executive")


def _numbers(seen: Look, trend: tuple[TrendPoint, ...]) -> list[Html]:
    """What the fleet does; there is no target for it."""
    counters = [site.gateway.counters for site in seen.fleet.sites if site.gateway]
    requests, ok = sum(one.requests for one in counters), sum(one.ok for one in counters)
    answered = f"{percent(ok / requests)} answered well" if requests else "none yet"
    lately = [one.requests_per_s for one in trend]
    return [
        number_tile("Requests/s", number(seen.fleet.requests_per_s), "all sites, now", lately),
        number_tile("Requests", number(requests), f"{answered}, since the gateways started"),
    ]


def _targets(kpis: dict[str, KpiStatus]) -> list[Html]:
    """Promises to customers and the bill first; what a fleet does not tell is unknown, not fine."""
    first = [kpi_tile(kpis[name]) for name in HEADLINES if name in kpis]
    if "spend_ratio" not in kpis:
        first.append(number_tile("Spend", "unknown", "this fleet does not tell what it costs"))
    return [*first, *(kpi_tile(kpi) for name, kpi in kpis.items() if name not in HEADLINES)]


def _show_incidents(seen: Look) -> None:
    st.subheader("Incidents", anchor=False)
    page = told(seen.client.read(ALERTS), "Alerts")
    if page is None:
        return
    now = firing(page, *INCIDENT_LEVELS)
    over = [one for one in page.alerts if one.state is AlertState.RESOLVED and one.level in INCIDENT_LEVELS]
    if not now:
        pending = sum(one.state is AlertState.PENDING and one.level in INCIDENT_LEVELS for one in page.alerts)
        soon = f" {pending} pending: bad, but not yet for long enough." if pending else ""
        st.caption(f"No critical alert and no warning is firing.{soon}{' Lately over:' if over else ''}")
    shown = [*now, *over][:INCIDENTS_SHOWN]
    if shown:
        st.html(alert_table(shown, seen.fleet.at_ms))
    if len(now) > len(shown):
        st.caption(f"And {len(now) - len(shown)} more; the operations view lists them.")
