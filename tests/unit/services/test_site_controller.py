"""What controllers do together: beacons, membership, tables; on a clock that only the test moves."""

from dataclasses import replace

import pytest

from edgemind.domain.beacons import Beacon
from edgemind.domain.membership import SiteState
from edgemind.domain.routing.overlay import Shift
from edgemind.domain.suspicion import Rumours
from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError
from edgemind.ports.scaler import Replicas
from edgemind.services.site_controller import SiteController
from tests.support.controllers import Metro, decision_document, metro, report, site


@pytest.fixture
def three() -> Metro:
    return Metro(metro(site("site-a"), site("site-b"), site("site-c")))


def report_everywhere(group: Metro, **arrivals_per_s: float) -> None:
    for name, controller in group.controllers.items():
        asked = arrivals_per_s.get(name.replace("-", "_"), 0.0)
        load = {"in_flight": 0, "slots": 4, "service_ms": 10.0, "arrivals_per_s": asked}
        controller.gateways.answer(report(name, models={"detector": load}))


def states(group: Metro, asked: str) -> dict[str, SiteState | None]:
    around = group.controllers[asked].neighbourhood
    return {name: around.state(name, group.clock.monotonic_s()) for name in around.neighbours}


def weights(controller: SiteController) -> dict[str, float]:
    table = controller.tables.latest
    assert table is not None
    return dict(table.weights["detector"])


def run(group: Metro, rounds: int, **arrivals_per_s: float) -> None:
    """Rounds with the gateways reporting all the while."""
    for _ in range(rounds):
        report_everywhere(group, **arrivals_per_s)
        group.rounds(1)


def test_there_is_no_table_before_every_neighbour_is_heard_or_suspected(three: Metro) -> None:
    controller = three.controllers["site-a"]
    del three.running["site-b"]
    controller.tick()
    assert controller.tables.latest is None, "a controller that just started knows nothing and must not say so"

    three.beacons("site-a")
    controller.tick()
    assert controller.tables.latest is None, "one refusal is no proof"

    three.beacons("site-a")
    controller.tick()
    assert controller.tables.latest is not None


def test_an_overload_is_spread_and_every_controller_computes_the_same(three: Metro) -> None:
    run(three, 60, site_a=600.0)

    row = weights(three.controllers["site-a"])
    assert row["site-a"] == pytest.approx(340.0)
    assert sum(row.values()) == pytest.approx(600.0, rel=0.01)
    loads = [list(one.neighbourhood.loads(three.clock.monotonic_s())) for one in three.controllers.values()]
    assert all(len(around) == 2 for around in loads)


def test_a_killed_controller_leaves_the_table_and_comes_back_with_its_first_answer(three: Metro) -> None:
    run(three, 30, site_a=600.0)
    assert "site-b" in weights(three.controllers["site-a"])

    del three.running["site-b"]
    run(three, 3, site_a=600.0)
    assert states(three, "site-a") == {"site-b": SiteState.SUSPECTED, "site-c": SiteState.ALIVE}
    assert "site-b" not in weights(three.controllers["site-a"])

    three.controllers["site-b"] = three.start("site-b")
    run(three, 2, site_a=600.0)
    assert states(three, "site-a")["site-b"] is SiteState.ALIVE
    assert "site-b" in weights(three.controllers["site-a"])


def test_a_controller_that_only_hears_a_neighbour_does_not_hold_it_alive(three: Metro) -> None:
    run(three, 3)
    for _ in range(12):
        three.clock.advance(0.1)
        three.beacons("site-b")
    assert states(three, "site-a")["site-b"] is SiteState.SUSPECTED, "its requests would go the way that is not open"
    assert three.controllers["site-a"].neighbourhood.neighbours["site-b"].beacon is not None


def test_a_draining_site_keeps_its_devices_and_gets_nobody_elses(three: Metro) -> None:
    run(three, 30, site_a=600.0, site_b=100.0)
    three.controllers["site-b"].drain_own(True)
    run(three, 3, site_a=600.0, site_b=100.0)

    assert states(three, "site-a")["site-b"] is SiteState.DRAINING
    assert "site-b" not in weights(three.controllers["site-a"])
    assert "site-b" not in weights(three.controllers["site-b"])
    assert sum(weights(three.controllers["site-b"]).values()) > 50.0


def test_a_site_whose_gateway_fell_silent_has_no_capacity(three: Metro) -> None:
    run(three, 30, site_a=600.0)
    for _ in range(12):
        load = {"in_flight": 0, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 600.0}
        for name in ("site-a", "site-c"):
            three.controllers[name].gateways.answer(report(name, models={"detector": load}))
        three.rounds(1)

    assert "site-b" not in weights(three.controllers["site-a"])
    assert states(three, "site-a")["site-b"] is SiteState.ALIVE, "its controller is well"


def test_a_restarted_controllers_beacons_count_although_its_numbers_start_again(three: Metro) -> None:
    run(three, 5)
    three.controllers["site-b"] = three.start("site-b")
    run(three, 1)
    known = three.controllers["site-a"].neighbourhood.neighbours["site-b"].beacon
    assert known is not None
    assert known.incarnation == three.controllers["site-b"].own.incarnation


def test_a_beacon_that_was_overtaken_changes_nothing(three: Metro) -> None:
    run(three, 5)
    neighbour = three.controllers["site-a"].neighbourhood.neighbours["site-b"]
    newest = neighbour.beacon
    assert newest is not None

    three.controllers["site-a"].receive_beacon(replace(newest, seq=newest.seq - 1, draining=True))
    assert neighbour.beacon is newest

    three.clock.advance(2.0)
    older = replace(newest, incarnation=1, seq=1)
    three.controllers["site-a"].receive_beacon(older)
    assert neighbour.beacon is older, "what is known is stale: the neighbour's clock was set back"


@pytest.mark.parametrize("sender", ["site-z", "site-a"])
def test_a_beacon_from_a_site_that_is_not_in_the_configuration_is_refused(three: Metro, sender: str) -> None:
    with pytest.raises(PermanentError, match=r"same edgemind\.yaml"):
        three.controllers["site-a"].receive_beacon(Beacon(sender, 1, 1))


def test_somebody_elses_servers_are_declared_whatever_happens() -> None:
    group = Metro(metro(site("site-a"), site("theirs", controller=False)))
    run(group, 60, site_a=600.0)

    around = group.controllers["site-a"].neighbourhood
    assert around.state("theirs", group.clock.monotonic_s()) is SiteState.DECLARED
    assert weights(group.controllers["site-a"])["theirs"] == pytest.approx(260.0, rel=0.05)

    around.declared["theirs"].ready_models = {"detector": False}
    run(group, 1, site_a=600.0)
    assert "theirs" not in weights(group.controllers["site-a"])


def test_beacons_go_to_the_ten_nearest_sites_only() -> None:
    group = Metro(metro(*(site(f"site-{k:02}") for k in range(14))))
    assert len(group.controllers["site-00"].neighbourhood.neighbours) == 10
    heard = {name for one in group.controllers.values() for name in one.neighbourhood.neighbours}
    assert len(heard) == 14, "nobody is left out by everybody"


def test_measured_distances_travel_in_beacons(three: Metro) -> None:
    run(three, 2)
    three.controllers["site-b"].neighbourhood.neighbours["site-c"].round_trip.ms = 42.0
    del three.running["site-c"]
    run(three, 1)
    assert three.controllers["site-a"].neighbourhood.distances()("site-b", "site-c") == 42.0


def test_a_successor_goes_on_with_what_its_predecessor_knew(three: Metro) -> None:
    run(three, 5, site_a=50.0)
    before = three.controllers["site-a"]
    before.gateways.answer(report("site-a", decisions=[decision_document("dec-site-a-0-0123456789abcdef", 1)]))
    before.drain_own(True)
    seq = before.exchange.my_beacon("site-b").seq

    after = three.start("site-a")
    after.succeed(before)

    assert after.own.drain_requested
    assert after.own.reports()
    assert len(after.log) == 1
    assert after.tables.latest is before.tables.latest
    assert after.exchange.my_beacon("site-b").seq > seq
    assert after.neighbourhood.settled(three.clock.monotonic_s()), "neighbours it knew are not unknown again"
    assert after.decisions.own_page(5, None).decisions


def test_each_change_of_a_neighbours_state_is_logged_once_with_its_reason(
    three: Metro, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run(three, 2)
    assert not caplog.records

    del three.running["site-b"]
    run(three, 5)
    three.controllers["site-b"] = three.start("site-b")
    run(three, 2)

    about = [record.getMessage() for record in caplog.records]
    assert about == [
        "site site-b is suspected: no controller of site-b is running",
        "site site-b is suspected: no controller of site-b is running",
        "site site-b is back: it answers beacons",
        "site site-b is back: it answers beacons",
    ], "by site-a and by site-c"


def test_replicas_reach_the_own_gateways_the_neighbours_and_the_table(three: Metro) -> None:
    one, other = three.controllers["site-a"], three.controllers["site-b"]
    one.own.replicas = {"detector": Replicas(3, 2, Fence(1, 4))}
    run(three, 60, site_a=1200.0)
    answer = one.gateways.answer(report("site-a"))
    assert answer["local"] == {"detector": {"in_flight": 0, "ready": True, "replicas": 2}}
    beacon = other.neighbourhood.neighbours["site-a"].beacon
    assert beacon is not None
    assert (beacon.models["detector"].slots, beacon.models["detector"].replicas) == (8, 2)
    # 8 slots of 10 ms each, filled to 85 %; the others keep their four.
    assert weights(one)["site-a"] == pytest.approx(680.0, rel=0.01)
    assert weights(one)["site-b"] == pytest.approx(340.0, rel=0.01)

    one.own.replicas = {"detector": Replicas(1, 0, Fence(1, 5))}
    run(three, 2, site_a=1200.0)
    assert "site-a" not in weights(one), "a model without a ready replica serves nobody"


def test_a_shift_is_in_every_controllers_table_and_ends_with_the_site_that_reports_it(three: Metro) -> None:
    run(three, 60, site_a=400.0)
    before = weights(three.controllers["site-a"])
    three.controllers["site-a"].own.shifts = (Shift("detector", "site-c", 100, Fence(1, 1)),)
    run(three, 2, site_a=400.0)
    after = weights(three.controllers["site-a"])
    assert after["site-a"] < 0.85 * before["site-a"]
    assert after["site-c"] > 100.0
    now_s = three.clock.monotonic_s()
    for other in ("site-b", "site-c"):
        seen = {load.site: load.shifts for load in three.controllers[other].neighbourhood.loads(now_s)}
        assert seen["site-a"] == three.controllers["site-a"].own.shifts

    del three.running["site-a"]
    for _ in range(30):
        for name in ("site-b", "site-c"):
            load = {"in_flight": 0, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 1.0}
            three.controllers[name].gateways.answer(report(name, models={"detector": load}))
        three.rounds(1)
    known = three.controllers["site-b"].neighbourhood.loads(three.clock.monotonic_s())
    assert [load.shifts for load in known] == [()]


def fourteen() -> Metro:
    return Metro(metro(*(site(f"site-{number:02}") for number in range(14))))


def suspected(group: Metro, asked: str) -> frozenset[str]:
    return group.controllers[asked].neighbourhood.suspected(group.clock.monotonic_s())


def test_a_site_that_died_is_suspected_by_those_too_far_for_its_beacons_and_back_with_its_restart() -> None:
    group = fourteen()
    group.rounds(3)
    far = next(name for name, one in group.controllers.items() if "site-05" not in one.neighbourhood.neighbours)
    assert suspected(group, far) == frozenset()

    del group.running["site-05"]
    group.rounds(5)
    assert {suspected(group, name) for name in group.running} == {frozenset({"site-05"})}

    group.controllers["site-05"] = group.start("site-05")
    group.rounds(5)
    assert {suspected(group, name) for name in group.running} == {frozenset()}


def test_a_paused_site_is_back_with_its_old_state_as_soon_as_it_hears_what_is_said_of_it() -> None:
    group = fourteen()
    group.rounds(3)
    paused = group.running.pop("site-05")
    group.rounds(20)
    group.running["site-05"] = paused
    group.rounds(5)
    assert {suspected(group, name) for name in group.running} == {frozenset()}
    own = group.controllers["site-05"]
    assert own.neighbourhood.suspicions.refutation > own.own.incarnation


def test_a_reload_keeps_what_is_known_of_who_is_up() -> None:
    group = fourteen()
    group.rounds(3)
    del group.running["site-05"]
    group.rounds(5)
    before = group.controllers["site-00"]
    after = group.start("site-00")
    after.succeed(before)
    assert after.neighbourhood.suspected(group.clock.monotonic_s()) == {"site-05"}


def test_members_of_whom_this_configuration_knows_nothing_can_be_suspected_too() -> None:
    group = fourteen()
    around = group.controllers["site-00"].neighbourhood
    rumours = Rumours(1, {"elsewhere": 3})
    around.suspicions.hear("site-01", 1, rumours)
    assert around.suspected(0.0) == frozenset()
    around.know_members(["elsewhere"])
    around.suspicions.hear("site-01", 1, rumours)
    assert around.suspected(0.0) == {"elsewhere"}


def test_a_site_that_hears_hardly_anybody_accuses_nobody() -> None:
    group = Metro(metro(*(site(name) for name in "abcd")))
    group.rounds(3)
    cut_off = {name: group.running.pop(name) for name in "cd"}
    group.rounds(3)
    assert group.controllers["a"].neighbourhood.rumours("b", group.clock.monotonic_s()).suspects == {}
    assert suspected(group, "a") == {"c", "d"}, "of three neighbours two: that is more than half"

    group.running |= {"c": cut_off["c"]}
    group.rounds(30)
    del group.running["c"], group.running["b"]
    group.rounds(1)
    group.running["b"] = group.controllers["b"]
    group.rounds(30)
    assert suspected(group, "a") == {"c", "d"}
