"""What a controller measures by itself, beside what it counts: the age of every other site's newest report."""

from edgemind.errors import StoreUnavailable
from edgemind.services.operations.own_measures import OwnMeasures
from tests.support.controllers import Metro, metro, report, site


def three() -> tuple[Metro, OwnMeasures]:
    """A metro, and the measures of its site-a."""
    here = Metro(metro(site("site-a"), site("site-b"), site("site-c"), site("declared", controller=False)))
    return here, OwnMeasures(lambda: here.controllers["site-a"], here.clock)


def ages(of: OwnMeasures) -> dict[str, int]:
    return {name: round(age_ms) for name, age_ms in of.ages_ms().items()}


def test_the_newer_of_beacon_and_heartbeat_counts() -> None:
    here, of = three()
    here.beacons()
    here.clock.advance(3.0)
    here.controllers["site-b"].heartbeat.beat()
    here.controllers["site-a"].heartbeat.beat()
    here.clock.advance(0.5)
    assert ages(of) == {"site-b": 500, "site-c": 3500}
    assert of.all_ages_ms() == {**of.ages_ms(), "site-a": 0.0}


def test_who_was_never_heard_of_is_as_old_as_this_process() -> None:
    here, of = three()
    here.clock.advance(4.0)
    assert ages(of) == {"site-b": 4000, "site-c": 4000}


def test_who_left_the_registry_is_as_old_as_its_last_entry() -> None:
    here, of = three()
    for name in ("site-b", "site-a"):
        here.controllers[name].heartbeat.beat()
    of.sample()
    here.controllers["site-b"].heartbeat.withdraw()
    here.clock.advance(7.0)
    here.controllers["site-a"].heartbeat.beat()
    assert ages(of) == {"site-b": 7000, "site-c": 7000}


def test_without_the_registry_the_neighbours_beacons_are_what_is_known() -> None:
    here, of = three()
    here.beacons()
    here.store.list_registrations = lambda: (_ for _ in ()).throw(StoreUnavailable("away"))  # type: ignore[method-assign]
    here.controllers["site-a"].heartbeat.beat()
    here.clock.advance(1.0)
    assert ages(of) == {"site-b": 1000, "site-c": 1000}


def test_who_can_be_asked_is_whoever_answers_beacons() -> None:
    here, of = three()
    here.beacons()
    del here.running["site-c"]
    here.rounds(20)
    assert of.live() == {"site-a", "site-b"}


def test_a_site_without_a_gateway_has_no_series_but_counts_its_time() -> None:
    here, of = three()
    here.clock.advance(2.0)
    of.sample()
    assert not of.measures().gateway
    here.controllers["site-a"].own.take(report("site-a", stats={"requests": 10}))
    of.sample()
    here.clock.advance(2.0)
    here.controllers["site-a"].own.take(report("site-a", stats={"requests": 30}))
    of.sample()
    here.clock.advance(2.0)
    page = of.series(0, 2000)
    assert [value for value in page.sites[0].values["requests_per_s"] if value is not None][-1] == 10
    newest = of.measures().minutes[-1]
    assert newest is not None
    assert newest.requests == 20


def test_the_trend_of_ages_is_each_minutes_oldest() -> None:
    here, of = three()
    here.beacons()
    for _ in range(40):
        here.clock.advance(2.0)
        of.sample()
    trend = of.age_trend()
    assert trend[-1] == 80_000.0
    assert trend[-2] is not None
    assert trend[:-2] == [None] * 13
