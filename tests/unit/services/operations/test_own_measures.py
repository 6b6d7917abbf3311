"""What a controller measures by itself: its counts, its series, and how long it has heard of each site."""

from edgemind.services.operations.own_measures import OwnMeasures
from tests.support.controllers import Metro, metro, report, site


def three() -> tuple[Metro, OwnMeasures]:
    """A metro, and the measures of its site-a."""
    here = Metro(metro(site("site-a"), site("site-b"), site("site-c"), site("declared", controller=False)))
    return here, OwnMeasures(lambda: here.controllers["site-a"], here.clock)


def test_the_own_site_is_always_fresh() -> None:
    here, of = three()
    here.clock.advance(4.0)
    assert of.ages_ms() == {**of.others_ages_ms(), "site-a": 0.0}
    assert set(of.others_ages_ms()) == {"site-b", "site-c"}


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
