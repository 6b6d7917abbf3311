"""Who tells what concerns the metro: once for each incident, whoever dies, comes back or is cut off."""

from collections.abc import Collection

from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.domain.alerts.desk import MetroDesk
from edgemind.domain.alerts.engine import Change, Observation
from edgemind.domain.alerts.rules import SITE_DOWN, AlertRule
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState

SITES = ("site-a", "site-b", "site-c")


class Desks:
    """Every site's desk, turn by turn. `up` run; `islands` are who hears whom; `failing`: the metro's own trouble."""

    def __init__(self, dwell_s: float = 4.0) -> None:
        self.rules = {name: AlertRule(name, "", dwell_s, 6.0) for name in (SITE_DOWN, "availability_ratio")}
        self.up = set(SITES)
        self.islands: list[set[str]] = [set(SITES)]
        self.desks = {name: MetroDesk(name, self.rules) for name in SITES}
        self.old: set[str] = set()
        """Sites of a version without alerts."""
        self.failing = False
        self.now_s = 0.0
        self.told: list[tuple[str, str, str]] = []
        """(site that told, change, alert)"""

    def restart(self, name: str) -> None:
        self.up.add(name)
        self.desks[name] = MetroDesk(name, self.rules)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.now_s += 2.0
            for name in sorted(self.up - self.old):
                self._one(name, self._heard_by(name))

    def _heard_by(self, name: str) -> set[str]:
        (island,) = (island for island in self.islands if name in island)
        return island & self.up

    def _one(self, name: str, live: Collection[str]) -> None:
        desk = self.desks[name]
        asked = desk.asks(live, self.now_s)
        if asked is not None and asked in self.old:
            desk.refused(asked, self.now_s)
        elif asked is not None:
            desk.heard(asked, self.desks[asked].alerts(), self.now_s)
        level = Level.CRITICAL if self.failing else Level.OK
        seen = [Observation("availability_ratio", None, level)]
        seen += [Observation(SITE_DOWN, one, Level.OK if one in live else Level.CRITICAL) for one in SITES]
        for notice in desk.step(seen, SITES, self.now_s, round(self.now_s * 1000)):
            self.told.append((name, notice.change.value, notice.alert.site or "metro"))

    def firing(self, name: str) -> set[str]:
        return {one.site or "metro" for one in self.desks[name].alerts() if one.state is AlertState.FIRING}


def test_the_first_site_tells_and_all_know() -> None:
    desks = Desks()
    desks.failing = True
    desks.turn(5)
    assert desks.told == [("site-a", "fired", "metro")]
    assert [desks.firing(name) for name in SITES] == [{"metro"}] * 3


def test_the_tellers_death_is_told_by_the_next_which_goes_on_with_the_rest() -> None:
    desks = Desks()
    desks.failing = True
    desks.turn(5)
    desks.up.discard("site-a")
    desks.turn(5)
    desks.failing = False
    desks.turn(5)
    assert desks.told == [
        ("site-a", "fired", "metro"), ("site-b", "fired", "site-a"), ("site-b", "resolved", "metro"),
    ]  # fmt: skip


def test_a_teller_that_comes_back_ends_what_was_told_of_it() -> None:
    desks = Desks()
    desks.up.discard("site-a")
    desks.turn(5)
    desks.restart("site-a")
    desks.turn(6)
    assert desks.told == [("site-b", "fired", "site-a"), ("site-a", "resolved", "site-a")]
    assert [desks.firing(name) for name in SITES] == [set()] * 3


def test_after_a_partition_each_side_ends_what_it_told() -> None:
    desks = Desks()
    desks.turn(2)
    desks.islands = [{"site-a"}, {"site-b", "site-c"}]
    desks.turn(5)
    desks.islands = [set(SITES)]
    desks.turn(8)
    assert sorted(desks.told) == [
        ("site-a", "fired", "site-b"), ("site-a", "fired", "site-c"), ("site-a", "resolved", "site-b"),
        ("site-a", "resolved", "site-c"), ("site-b", "fired", "site-a"), ("site-b", "resolved", "site-a"),
    ]  # fmt: skip
    assert [desks.firing(name) for name in SITES] == [set()] * 3


def test_a_site_of_a_version_without_alerts_is_passed_over() -> None:
    desks = Desks()
    desks.old = {"site-a"}
    desks.failing = True
    desks.turn(6)
    assert desks.told == [("site-b", "fired", "metro")]
    desks.old = set()
    desks.turn(40)
    desks.failing = False
    desks.turn(6)
    assert desks.told == [("site-b", "fired", "metro"), ("site-a", "resolved", "metro")]


def test_who_passes_another_over_goes_on_while_it_asks_again() -> None:
    """An alert that takes longer than the other is passed over fires all the same."""
    desks = Desks(dwell_s=200.0)
    desks.old = {"site-a"}
    desks.failing = True
    desks.turn(110)
    assert desks.told == [("site-b", "fired", "metro")]


def test_what_is_pending_does_not_stay_behind_with_who_is_no_longer_first() -> None:
    desks = Desks()
    desks.up.discard("site-a")
    desks.turn(2)
    desks.restart("site-a")
    desks.turn(2)
    assert [one.state for one in desks.desks["site-b"].alerts()] == []


faults = st.lists(
    st.tuples(st.sampled_from(["down", "up", "fail", "mend"]), st.sampled_from(SITES), st.integers(1, 8)), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(faults)
def test_whoever_dies_no_incident_is_told_twice_before_it_is_over(course: list[tuple[str, str, int]]) -> None:
    """With a site always up and nobody cut off, one alert of a kind is open at a time, and none is forgotten."""
    desks = Desks()
    for what, name, turns in course:
        if what == "down" and len(desks.up) > 1:
            desks.up.discard(name)
        elif what == "up" and name not in desks.up:
            desks.restart(name)
        elif what in {"fail", "mend"}:
            desks.failing = what == "fail"
        desks.turn(turns)
    desks.failing = False
    for name in set(SITES) - desks.up:
        desks.restart(name)
    desks.turn(60)
    open_ones: set[str] = set()
    for _, change, alert in desks.told:
        if change == Change.FIRED.value:
            assert alert not in open_ones
            open_ones.add(alert)
        elif change == Change.RESOLVED.value:
            assert alert in open_ones
            open_ones.discard(alert)
    assert open_ones == set()
