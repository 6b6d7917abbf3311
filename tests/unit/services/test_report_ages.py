from edgemind.errors import StoreUnavailable
from edgemind.services.report_ages import ReportAges
from edgemind.services.site_controller import SiteController
from tests.support.controllers import Metro, metro, site


def ages(of: ReportAges, controller: SiteController, *roster: str) -> dict[str, float]:
    found = of.ages_ms(controller.neighbourhood, controller.heartbeat, roster)
    return {name: round(age_ms) for name, age_ms in found.items()}


def three() -> tuple[Metro, ReportAges]:
    here = Metro(metro(site("site-a"), site("site-b"), site("site-c"), site("declared", controller=False)))
    return here, ReportAges(here.clock)


def test_the_newer_of_beacon_and_heartbeat_counts() -> None:
    here, of = three()
    asked = here.controllers["site-a"]
    here.beacons()
    here.clock.advance(3.0)
    here.controllers["site-b"].heartbeat.beat()
    asked.heartbeat.beat()
    here.clock.advance(0.5)
    assert ages(of, asked) == {"site-b": 500, "site-c": 3500}


def test_who_was_never_heard_of_is_as_old_as_this_process() -> None:
    here, of = three()
    here.clock.advance(4.0)
    assert ages(of, here.controllers["site-a"], "site-x") == {"site-b": 4000, "site-c": 4000, "site-x": 4000}


def test_without_the_registry_nothing_is_known_of_sites_too_far_for_beacons() -> None:
    here, of = three()
    asked = here.controllers["site-a"]
    here.beacons()
    here.store.list_registrations = lambda: (_ for _ in ()).throw(StoreUnavailable("away"))  # type: ignore[method-assign]
    asked.heartbeat.beat()
    here.clock.advance(1.0)
    assert ages(of, asked, "site-x") == {"site-b": 1000, "site-c": 1000}
