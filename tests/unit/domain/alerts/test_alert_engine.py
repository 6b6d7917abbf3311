"""Alerts from observations: scripted dialogues for the cases that have names, and what holds for any course."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.alerts.engine import AlertEngine, Change, Notice, Observation
from edgemind.domain.alerts.rules import RULES, AlertRule, adjusted_rules
from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.kpi import BY_NAME, Level
from edgemind.domain.operations_status import AlertState

NAME = "store_unreachable"
RULE = {NAME: AlertRule(NAME, "a store", dwell_s=4.0, recovery_s=6.0)}
LEVELS = {
    "ok": Level.OK, "info": Level.INFO, "warn": Level.WARNING, "crit": Level.CRITICAL, "?": Level.UNKNOWN,
}  # fmt: skip
TURN_S = 2.0


class Course:
    """One alert, looked at every two seconds."""

    def __init__(self, site: str | None = "site-a") -> None:
        self.engine = AlertEngine(RULE)
        self.site = site
        self.now_s = 100.0

    def see(self, level: Level, after_s: float = TURN_S, sites: tuple[str, ...] = ("site-a",)) -> list[Notice]:
        self.now_s += after_s
        seen = Observation(NAME, self.site, level, f"it is {level}.")
        return self.engine.step([seen], sites, self.now_s, round(self.now_s * 1000))

    def say(self, words: str) -> list[str]:
        """What is told, turn by turn: `-` for nothing."""
        told = []
        for word in words.split():
            notices = self.see(LEVELS[word])
            told.append("+".join(f"{notice.change}:{notice.alert.level}" for notice in notices) or "-")
        return told


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        pytest.param("warn warn ok warn warn", "- - - - -", id="too short to wake anybody"),
        pytest.param("warn warn warn warn", "- - fired:warning -", id="once, after its dwell"),
        pytest.param("warn warn warn ok ok ok ok ok", "- - fired:warning - - - resolved:warning -", id="over"),
        pytest.param(
            "warn warn warn ok ok ok warn ok ok ok ok", "- - fired:warning - - - - - - - resolved:warning", id="flaps"
        ),
        pytest.param("crit crit crit", "- - fired:critical", id="the worst level that held"),
        pytest.param("warn crit crit warn", "- - fired:warning -", id="critical was too short"),
        pytest.param("warn warn warn crit crit crit", "- - fired:warning - - worse:critical", id="escalates"),
        pytest.param(
            "crit crit crit warn warn warn crit crit crit", "- - fired:critical - - - - - -", id="told once of a level"
        ),
        pytest.param("warn ? ? ? ? warn", "- - - - - -", id="unknown time does not count"),
        pytest.param("warn warn ? ? warn warn", "- - - - - fired:warning", id="and does not start anew"),
        pytest.param("warn warn warn ? ? ? ? ? ?", "- - fired:warning - - - - - -", id="unknown resolves nothing"),
        pytest.param("? ? ? ?", "- - - -", id="unknown fires nothing"),
        pytest.param("info info info", "- - fired:info", id="information"),
    ],
)
def test_what_is_told(seen: str, told: str) -> None:
    assert Course().say(seen) == told.split()


def test_an_alert_keeps_its_name_from_pending_to_resolved() -> None:
    course = Course()
    course.see(Level.WARNING)
    (pending,) = course.engine.alerts()
    course.say("warn warn")
    (firing,) = course.engine.alerts()
    course.say("ok ok ok ok")
    (resolved,) = course.engine.alerts()
    assert [one.state for one in (pending, firing, resolved)] == ["pending", "firing", "resolved"]
    assert {one.id for one in (pending, firing, resolved)} == {"store_unreachable.site-a.102000"}
    assert (resolved.ended_ms, resolved.runbook) == (114_000, "runbooks/store-unreachable.md")


def test_what_comes_back_has_to_be_well_for_longer_each_time() -> None:
    course = Course()
    course.say("warn warn warn ok ok ok ok")
    assert course.say("warn warn warn ok ok ok ok ok ok ok")[2:] == ["fired:warning", *"------", "resolved:warning"]


def test_after_a_pause_nobody_looked_at_time_does_not_count() -> None:
    course = Course()
    course.see(Level.CRITICAL)
    assert course.see(Level.CRITICAL, after_s=3600.0) == []


def test_a_clock_that_is_set_back_ends_no_alert_before_it_began() -> None:
    engine = AlertEngine(RULE)
    wall = iter([9000, 9000, 9000, 10, 10])
    told = []
    for turn, level in enumerate([Level.WARNING] * 3 + [Level.OK] * 2):
        told += engine.step([Observation(NAME, None, level)], (), 4.0 * turn, next(wall))
    told += engine.step([Observation(NAME, None, Level.OK)], (), 20.0, 10)
    assert (told[-1].change, told[-1].alert.ended_ms) == (Change.RESOLVED, 9000)


def test_alerts_of_a_site_that_left_end_with_it() -> None:
    course = Course()
    course.say("warn warn warn")
    course.site = None
    (notice,) = course.see(Level.OK, sites=())
    assert notice.change is Change.RESOLVED
    assert "no longer a site" in notice.alert.text


def test_an_unknown_value_is_said_to_be_unknown() -> None:
    course = Course()
    course.say("warn warn warn ?")
    (alert,) = course.engine.alerts()
    assert (alert.state, alert.value) == (AlertState.FIRING, None)
    assert alert.text == "it is warning. Just now nobody can tell."


def test_who_adopts_an_alert_tells_nobody_again_and_ends_it() -> None:
    before = Course()
    before.say("crit crit crit")
    after = Course()
    after.engine.adopt(before.engine.alerts())
    assert after.say("crit crit crit ok ok ok ok") == ["-"] * 6 + ["resolved:critical"]
    assert after.engine.alerts()[0].id == "store_unreachable.site-a.102000"


def test_who_adopts_an_alert_ends_it_for_whoever_was_told_of_its_milder_levels() -> None:
    before, after = Course(), Course()
    before.say("warn warn warn crit crit crit")
    after.engine.adopt(before.engine.alerts())
    after.say("ok ok ok")
    (over,) = after.see(Level.OK)
    assert (over.alert.level, over.concerns) == (Level.CRITICAL, frozenset({Level.INFO, Level.WARNING, Level.CRITICAL}))


def test_what_this_version_has_no_rule_for_is_left_alone() -> None:
    before = Course()
    before.say("crit crit crit")
    older = AlertEngine({})
    older.adopt(before.engine.alerts())
    assert older.alerts() == []


steps = st.lists(st.tuples(st.sampled_from(list(LEVELS.values())), st.sampled_from([0.5, 2.0, 5.0, 60.0])), max_size=60)


@given(steps)
def test_whatever_happens_each_alert_is_told_once_and_ends_once(course_of: list[tuple[Level, float]]) -> None:
    course, firing, worst = Course(), False, 0
    order = [Level.INFO, Level.WARNING, Level.CRITICAL]
    for level, after_s in course_of:
        for notice in course.see(level, after_s):
            assert level is not Level.UNKNOWN
            rank = order.index(notice.alert.level)
            match notice.change:
                case Change.FIRED:
                    assert not firing
                    assert level is not Level.OK
                case Change.WORSE:
                    assert firing
                    assert rank > worst
                case Change.RESOLVED:
                    assert firing
                    assert level is Level.OK
            firing, worst = notice.change is not Change.RESOLVED, rank
        active = [one for one in course.engine.alerts() if one.state is not AlertState.RESOLVED]
        assert len(active) <= 1
        assert [one.state is AlertState.FIRING for one in active if one.state is AlertState.FIRING] == [True] * firing


@given(steps)
def test_it_fires_only_after_its_dwell_and_ends_only_after_its_recovery(course_of: list[tuple[Level, float]]) -> None:
    course, beyond_s, within_s, last = Course(), 0.0, 0.0, Level.UNKNOWN
    for level, after_s in course_of:
        alike = Level.UNKNOWN not in (last, level) and (last is Level.OK) is (level is Level.OK)
        counted, last = (after_s if alike and after_s <= 10.0 else 0.0), level
        if level is Level.OK:
            beyond_s, within_s = 0.0, within_s + counted
        elif level is not Level.UNKNOWN:
            beyond_s, within_s = beyond_s + counted, 0.0
        for notice in course.see(level, after_s):
            if notice.change is Change.FIRED:
                assert beyond_s >= 4.0
            if notice.change is Change.RESOLVED:
                assert within_s >= 6.0


def test_every_kpi_has_a_rule() -> None:
    assert set(BY_NAME) <= set(RULES)


@pytest.mark.parametrize("times", [{"no_such_alert": 1.0}, {NAME: -1.0}, {NAME: 3601.0}, {NAME: float("nan")}])
def test_times_have_bounds_and_belong_to_an_alert(times: dict[str, float]) -> None:
    with pytest.raises(OutOfBounds):
        adjusted_rules(times, {})
    with pytest.raises(OutOfBounds):
        adjusted_rules({}, times)


def test_an_operator_sets_times() -> None:
    rules = adjusted_rules({NAME: 1.0}, {NAME: 2.0})
    assert (rules[NAME].dwell_s, rules[NAME].recovery_s) == (1.0, 2.0)
    assert rules["spend_ratio"] == RULES["spend_ratio"]
