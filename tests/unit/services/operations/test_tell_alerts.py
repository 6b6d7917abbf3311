"""Notices to several places: each at its own pace, and no failure is told twice or costs the others anything."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.alerts.backoff import Backoff
from edgemind.domain.alerts.engine import AlertEngine, Change, Notice, Observation
from edgemind.domain.alerts.rules import AlertRule
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import AlertState, AlertStatus
from edgemind.errors import EdgeMindError, PermanentError, TemporaryError
from edgemind.ports.alert_sink import ToldNotice
from edgemind.services.operations.tell_alerts import WAITING_LIMIT, AlertTelling, SinkRoute
from tests.support.clocks import ManualClock

EVERY = frozenset(Level)


def notice(number: int, level: Level = Level.CRITICAL) -> ToldNotice:
    alert = AlertStatus(f"a.{number}", "a", level, AlertState.FIRING, None, "it is so.", "runbooks/a.md", number)
    return ToldNotice(Notice(Change.FIRED, alert, frozenset({level})), "metro", "site-a", number)


class Place:
    """Fails as often as the test says, then takes what it is told."""

    def __init__(self, *failures: EdgeMindError | Exception) -> None:
        self.failures = list(failures)
        self.told: list[str] = []
        self.changes: list[str] = []
        self.tries = 0
        self.closed = False

    async def tell(self, told: ToldNotice) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(told.notice.alert.id)
        self.changes.append(told.notice.change.value)

    async def close(self) -> None:
        self.closed = True


class Stuck(Place):
    async def tell(self, told: ToldNotice) -> None:
        await asyncio.Event().wait()


class Scene:
    """Telling with a clock that its own pauses move."""

    def __init__(self, backoff: Backoff | None = None, **places: Place) -> None:
        self.clock = ManualClock()
        self.pauses: list[float] = []
        routes = [SinkRoute(name, place, EVERY) for name, place in places.items()]
        self.telling = AlertTelling(routes, self.clock, Random(1), backoff, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    def run(self, tell: Callable[[], None] | None = None, then: Callable[[], Awaitable[None]] | None = None) -> None:
        async def course() -> None:
            self.telling.start()
            if tell is not None:
                tell()
            for _ in range(400):
                await asyncio.sleep(0)
            if then is not None:
                await then()
            await self.telling.close()

        asyncio.run(course())


def test_each_place_is_told_what_it_wants_in_order() -> None:
    pager, chat = Place(), Place()
    scene = Scene()
    scene.telling = AlertTelling(
        [SinkRoute("pager", pager, frozenset({Level.CRITICAL})), SinkRoute("chat", chat, EVERY)], scene.clock, Random(1)
    )
    scene.run(lambda: scene.telling.tell([notice(1, Level.WARNING), notice(2), notice(3)]))
    assert (pager.told, chat.told) == (["a.2", "a.3"], ["a.1", "a.2", "a.3"])
    assert pager.closed


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        pytest.param({Level.WARNING}, ["fired", "resolved"], id="of the warning"),
        pytest.param({Level.CRITICAL}, ["worse", "resolved"], id="of the critical"),
        pytest.param({Level.INFO}, [], id="of nothing"),
    ],
)
def test_whoever_was_told_of_an_alert_is_told_its_end_though_it_got_worse(wanted: set[Level], heard: list[str]) -> None:
    place, scene = Place(), Scene()
    scene.telling = AlertTelling([SinkRoute("place", place, frozenset(wanted))], scene.clock, Random(1))
    engine = AlertEngine({"a": AlertRule("a", "it", 0.0, 0.0)})
    course = (Level.WARNING, Level.CRITICAL, Level.OK)
    notices = [
        one for turn, level in enumerate(course) for one in engine.step([Observation("a", None, level)], (), turn, turn)
    ]
    scene.run(lambda: scene.telling.tell(ToldNotice(one, "metro", "site-a", 0) for one in notices))
    assert place.changes == heard


def test_what_fails_for_now_is_tried_again_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    place = Place(*(TemporaryError("busy") for _ in range(5)))
    scene = Scene(place=place)
    with caplog.at_level(logging.INFO, logger="edgemind.alerts"):
        scene.run(lambda: scene.telling.tell([notice(1)]))
    assert (place.told, place.tries) == (["a.1"], 6)
    assert [record.getMessage() for record in caplog.records] == [
        "alerts do not reach place: busy", "alerts reach place again",
    ]  # fmt: skip
    (status,) = scene.telling.status()
    assert (status.ok, status.told, status.failures, status.lost) == (True, 1, 5, 0)


@pytest.mark.parametrize("error", [PermanentError("no such address"), RuntimeError("a defect")])
def test_what_is_refused_is_given_up_and_the_next_is_told(error: Exception) -> None:
    place = Place(error)
    scene = Scene(place=place)
    scene.run(lambda: scene.telling.tell([notice(1), notice(2)]))
    assert place.told == ["a.2"]
    assert scene.telling.status()[0].lost == 1


def test_a_place_that_never_answers_holds_up_nobody_and_its_line_has_an_end() -> None:
    stuck, place = Stuck(), Place()
    scene = Scene(stuck=stuck, place=place)
    scene.run(lambda: scene.telling.tell([notice(number) for number in range(WAITING_LIMIT + 20)]))
    assert len(place.told) == WAITING_LIMIT
    by_name = {one.name: one for one in scene.telling.status()}
    assert (by_name["stuck"].waiting, by_name["stuck"].lost, by_name["stuck"].ok) == (WAITING_LIMIT, 20, True)


def test_a_notice_is_given_up_after_an_hour() -> None:
    place = Place(*(TemporaryError("down") for _ in range(500)))
    scene = Scene(place=place)
    scene.run(lambda: scene.telling.tell([notice(1)]))
    (status,) = scene.telling.status()
    assert (status.lost, status.waiting, status.ok, status.last_error) == (1, 0, False, "down")
    assert sum(scene.pauses) >= 3600.0
    assert place.tries < 150


def test_another_configuration_takes_over_what_waits() -> None:
    before, after = Stuck(), Place()
    scene = Scene(pager=before)

    async def reload() -> None:
        await scene.telling.use([SinkRoute("pager", after, EVERY)])
        for _ in range(20):
            await asyncio.sleep(0)

    scene.run(lambda: scene.telling.tell([notice(1), notice(2)]), reload)
    assert (before.closed, after.told) == (True, ["a.1", "a.2"])


@given(st.integers(1, 1000), st.floats(0, 3599), st.integers(0, 10), st.floats(0, 1e6))
def test_pauses_grow_within_bounds(tries: int, waited_s: float, seed: int, asked_s: float) -> None:
    pause_s = Backoff().pause_s(tries, waited_s, Random(seed), asked_s)
    assert pause_s is not None
    assert 0.5 <= pause_s <= 60.0
    assert Backoff().pause_s(tries, 3600.0, Random(seed)) is None
