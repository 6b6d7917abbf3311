import pytest

from edgemind.domain.site_documents import JoinedSites
from edgemind.errors import PermanentError
from tests.support.controllers import Metro, decision_document, metro, report, site


@pytest.fixture
def two() -> Metro:
    return Metro(metro(site("site-a"), site("site-b"), site("theirs", controller=False)))


def test_a_worker_learns_what_its_siblings_have_under_way(two: Metro) -> None:
    gateways = two.controllers["site-a"].gateways
    load = {"in_flight": 3, "slots": 4, "service_ms": 10.0}
    gateways.answer(report("site-a", 0, models={"detector": load}))
    gateways.answer(report("site-a", 1, models={"detector": {**load, "in_flight": 2}}))

    answer = gateways.answer(report("site-a", 2, models={"detector": {**load, "in_flight": 9}}))
    assert answer["local"] == {"detector": {"in_flight": 5, "ready": True, "replicas": 1}}


def test_a_worker_that_fell_silent_is_not_counted(two: Metro) -> None:
    gateways = two.controllers["site-a"].gateways
    gateways.answer(report("site-a", 0, models={"detector": {"in_flight": 3, "slots": 4, "service_ms": 10.0}}))
    two.clock.advance(1.5)
    assert gateways.answer(report("site-a", 1))["local"] == {"detector": {"in_flight": 0, "ready": True, "replicas": 1}}


def test_the_table_comes_once(two: Metro) -> None:
    controller = two.controllers["site-a"]
    assert controller.gateways.answer(report("site-a"))["table"] is None

    two.rounds(1)
    table = controller.gateways.answer(report("site-a"))["table"]
    assert isinstance(table, dict)
    assert set(table) == {"version", "computed_at_ms", "weights"}
    assert controller.gateways.answer(report("site-a", table_version=table["version"]))["table"] is None


def test_neighbours_are_told_with_age_distance_and_suspicion(two: Metro) -> None:
    controller = two.controllers["site-a"]
    two.controllers["site-b"].gateways.answer(report("site-b"))
    two.rounds(1)
    two.clock.advance(0.25)

    beacons = {one["site"]: one for one in controller.gateways.answer(report("site-a"))["beacons"]}  # type: ignore[attr-defined]
    assert beacons["site-b"]["age_ms"] == 250.0
    assert not beacons["site-b"]["suspected"]
    assert beacons["site-b"]["models"]["detector"] == {"in_flight": 0, "slots": 4, "service_ms": 10.0, "ready": True}
    assert beacons["theirs"]["declared"]

    del two.running["site-b"]
    two.rounds(2)
    beacons = {one["site"]: one for one in controller.gateways.answer(report("site-a"))["beacons"]}  # type: ignore[attr-defined]
    assert beacons["site-b"]["suspected"]


def test_a_drain_reaches_the_workers_with_their_next_report(two: Metro) -> None:
    controller = two.controllers["site-a"]
    assert controller.gateways.answer(report("site-a"))["drain"] is False
    controller.drain_own(True)
    assert controller.gateways.answer(report("site-a"))["drain"] is True


def test_a_model_whose_server_fails_its_checks_is_not_ready(two: Metro) -> None:
    controller = two.controllers["site-a"]
    controller.own.ready_models = {"detector": False}
    local = controller.gateways.answer(report("site-a"))["local"]
    assert local == {"detector": {"in_flight": 0, "ready": False, "replicas": 1}}


def test_a_gateway_of_another_site_is_turned_away(two: Metro) -> None:
    with pytest.raises(PermanentError, match="controller of site-a, not of site-b"):
        two.controllers["site-a"].gateways.answer(report("site-b"))


def test_decisions_are_kept(two: Metro) -> None:
    controller = two.controllers["site-a"]
    controller.gateways.answer(report("site-a", decisions=[decision_document("dec-site-a-0-0123456789abcdef", 7)]))
    assert [one.at_ms for one in controller.own_decisions(5, None)] == [7]


def test_a_site_drains_when_all_its_workers_do(two: Metro) -> None:
    own = two.controllers["site-a"].own
    own.take(report("site-a", 0, draining=True))
    assert own.draining
    own.take(report("site-a", 1))
    assert not own.draining


def test_gateways_of_one_site_are_told_apart_by_where_they_are_reached(two: Metro) -> None:
    """Each of them has a worker 0."""
    gateways = two.controllers["site-a"].gateways
    load = {"in_flight": 3, "slots": 4, "service_ms": 10.0}
    first, second = ("http://10.0.0.1:8150", "http://10.0.0.2:8150")
    gateways.answer(report("site-a", 0, admin=first, models={"detector": load}))
    answer = gateways.answer(report("site-a", 0, admin=second, models={"detector": {**load, "in_flight": 2}}))
    assert answer["local"] == {"detector": {"in_flight": 3, "ready": True, "replicas": 1}}
    assert answer["workers"] == 2

    two.clock.advance(1.5)
    answer = gateways.answer(report("site-a", 0, admin=second))
    assert answer["local"] == {"detector": {"in_flight": 0, "ready": True, "replicas": 1}}
    assert answer["workers"] == 1, "the other one is gone"


def test_sites_that_joined_are_told_until_the_worker_has_them() -> None:
    group = Metro(metro(site("site-a")))
    controller = group.controllers["site-a"]
    assert controller.gateways.answer(report("site-a", joined_version=2))["joined"] is None, "not read yet"
    controller.neighbourhood.joined = JoinedSites(3, (site("site-n"),))
    told = controller.gateways.answer(report("site-a", joined_version=2))["joined"]
    assert isinstance(told, dict)
    assert [one["name"] for one in told["sites"]] == ["site-n"]
    assert controller.gateways.answer(report("site-a", joined_version=3))["joined"] is None
