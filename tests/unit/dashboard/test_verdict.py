"""The one sentence about a fleet: the worst first, and no calm where something is wrong or unknown."""

from dataclasses import replace

import pytest

from dashboard.verdict import verdict
from edgemind.domain.kpi import Level, Tier
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import AlertPage, AlertState, AlertStatus, KpiList, KpiStatus
from tests.unit.dashboard.fleets import AT_MS, fleet, many_sites, site

KPI = KpiStatus("availability_ratio", "Availability", "ratio", "", "above", 0.9991, 0.999, Level.OK)
ALERT = AlertStatus("a", "x", Level.WARNING, AlertState.FIRING, "site-a", "the queue is long", "r.md", AT_MS)
WELL = fleet(site("site-a"), site("site-b"))


def kpis(*each: KpiStatus) -> KpiList:
    return KpiList(Tier.LOCAL, "site-a", AT_MS, "local", list(each))


def test_a_fleet_that_is_well_says_what_that_rests_on() -> None:
    assert verdict(WELL, None, None).more == ()
    told = verdict(WELL, AlertPage([]), kpis(KPI, replace(KPI, name="other", value=None, level=Level.UNKNOWN)))
    assert (told.level, told.headline) == (Level.OK, "All 2 sites are in service")
    assert told.more == ("1 of 2 KPIs are measured, all on target",)
    assert verdict(WELL, None, kpis(replace(KPI, value=None))).more == ("No KPI is measured yet",)


@pytest.mark.parametrize(
    ("silent", "level"), [(1, Level.WARNING), (24, Level.WARNING), (25, Level.CRITICAL), (50, Level.CRITICAL)]
)
def test_sites_that_do_not_answer_are_counted_and_named(silent: int, level: Level) -> None:
    told = verdict(fleet(*many_sites(50, silent)), None, None)
    assert told.level is level
    assert told.headline.startswith(f"{silent} of 50 sites do")
    assert "site-00" in told.headline
    assert len(told.headline) < 90


def test_the_worst_comes_first_and_the_list_is_short() -> None:
    alerts = [replace(ALERT, id=str(place), text=f"trouble {place}") for place in range(8)]
    worst = replace(ALERT, level=Level.CRITICAL, site=None, text="the store is gone")
    told = verdict(WELL, AlertPage([*alerts, worst]), None)
    assert (told.level, told.headline) == (Level.CRITICAL, "the store is gone")
    assert told.more == ("site-a: trouble 0", "site-a: trouble 1", "site-a: trouble 2", "and 5 more")


def test_what_is_over_or_not_yet_firing_wakes_nobody() -> None:
    quiet = [replace(ALERT, state=AlertState.PENDING), replace(ALERT, state=AlertState.RESOLVED)]
    assert verdict(WELL, AlertPage(quiet), None).level is Level.OK


def test_a_bad_value_is_told_before_its_alert_fires_and_only_once() -> None:
    bad = replace(KPI, value=0.95, level=Level.CRITICAL)
    told = verdict(WELL, AlertPage([]), kpis(bad))
    assert told.headline == "Availability is 95 %, short of its target (over 99.9 %)"
    near = replace(KPI, title="Delay", unit="ms", good="below", value=91.5, target=100.0, level=Level.WARNING)
    assert verdict(WELL, None, kpis(near)).headline == "Delay is 91.5 ms, close to its target (under 100 ms)"
    alert = replace(ALERT, kpi=bad.name, level=Level.CRITICAL)
    assert verdict(WELL, AlertPage([alert]), kpis(bad)).more == ()


def test_a_silent_site_stands_for_the_alerts_about_it() -> None:
    down = fleet(site("site-a"), site("site-b"), site("site-c", SiteState.SUSPECTED))
    alert = replace(ALERT, site="site-c", level=Level.CRITICAL, text="site-c has told nothing")
    told = verdict(down, AlertPage([alert]), None)
    assert (told.level, told.headline) == (Level.CRITICAL, "1 of 3 sites does not answer: site-c")
    assert told.more == ()


def test_a_drained_site_is_no_trouble_but_told() -> None:
    told = verdict(fleet(site("site-a"), site("site-b", SiteState.DRAINING)), None, None)
    assert (told.level, told.headline) == (Level.INFO, "Drained, takes no new requests: site-b")


def test_nothing_is_well_while_it_cannot_be_read() -> None:
    told = verdict(WELL, None, None, ("alerts", "KPIs"))
    assert (told.level, told.headline) == (Level.UNKNOWN, "Just now nobody can read alerts, KPIs")
    assert told.more == ("All 2 sites are in service",)
    drained = fleet(site("site-a"), site("site-b", SiteState.DRAINING))
    old = verdict(drained, AlertPage([]), kpis(KPI), ("alerts",))
    assert (old.level, old.more) == (Level.UNKNOWN, ("Drained, takes no new requests: site-b",))


def test_what_is_known_to_be_wrong_comes_before_what_cannot_be_read() -> None:
    told = verdict(WELL, AlertPage([ALERT]), None, ("KPIs",))
    assert (told.level, told.headline) == (Level.WARNING, "site-a: the queue is long")
    assert told.more == ("Just now nobody can read KPIs",)
