"""The parts of the simulated world, and that it is the same world every time."""

from random import Random

import pytest

from edgemind.domain.requests import Demand
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.simulation.clock import VirtualClock
from edgemind.simulation.faults import Disturbance, plan_faults
from edgemind.simulation.gateways import Beacon, Gateway, Report
from edgemind.simulation.network import by_distance, place_sites
from edgemind.simulation.outcomes import Outcomes
from edgemind.simulation.parameters import read_parameters
from edgemind.simulation.policies import CHOOSERS, Surroundings
from edgemind.simulation.stations import Station
from edgemind.simulation.truth import Truth
from edgemind.simulation.world import set_scene
from tests.simulation.routing_worlds import run, world_with

# Time


def test_the_clock_runs_events_and_stream_in_order_of_time() -> None:
    clock = VirtualClock()
    seen: list[tuple[float, str]] = []

    def note(what: str) -> None:
        seen.append((clock.now_ms, what))
        if what == "second":
            clock.at(clock.now_ms + 10, note, "later")

    clock.at(20, note, "second")
    clock.at(5, note, "first")
    clock.at(20, note, "third, scheduled after the second")
    clock.run([(10.0, "streamed"), (20.0, "streamed after events of its time")], note)
    assert seen == [
        (5, "first"),
        (10, "streamed"),
        (20, "second"),
        (20, "third, scheduled after the second"),
        (20, "streamed after events of its time"),
        (30, "later"),
    ]


def test_a_station_serves_in_order_of_arrival_and_a_brownout_slows_what_starts_in_it() -> None:
    clock = VirtualClock()
    done: list[tuple[float, str]] = []
    station = Station(clock, 2, lambda now_ms: 30.0 if now_ms >= 15 else 10.0)

    def finished(name: str) -> None:
        done.append((clock.now_ms, name))

    for name, work in (("one", 2.0), ("two", 1.0), ("three", 1.0), ("four", 1.0)):
        station.take(work, finished, name)
    clock.run([], finished)
    assert done == [(10, "two"), (20, "one"), (20, "three"), (50, "four")]


# Space


@pytest.mark.parametrize("sites", [2, 3, 10, 50])
def test_round_trips_are_symmetric_and_between_the_limits(sites: int) -> None:
    rtt_ms = place_sites(sites, 5.0, 30.0, Random(1))
    apart = [rtt_ms[i][j] for i in range(sites) for j in range(sites) if i != j]
    assert min(apart) == pytest.approx(5.0)
    assert max(apart) <= 30.0 + 1e-9
    assert all(rtt_ms[i][i] == 0 for i in range(sites))
    assert all(rtt_ms[i][j] == rtt_ms[j][i] for i in range(sites) for j in range(sites))
    assert by_distance(rtt_ms, 1)[0] == 1


def test_one_site_has_nobody_around() -> None:
    assert place_sites(1, 5.0, 30.0, Random(1)) == [[0.0]]


# Demand and faults


@pytest.mark.parametrize("sites", [1, 3, 10, 50])
def test_the_flash_crowd_brings_the_fleet_to_its_peak(sites: int) -> None:
    parameters = world_with(load={"duration_s": 20.0})
    scene = set_scene(parameters, sites, seed=3)
    crowd = scene.faults.flash_crowd
    seconds = (crowd.end_ms - crowd.start_ms) / 1000
    during = [one for one in scene.requests if crowd.start_ms <= one.sent_ms < crowd.end_ms]
    capacity = sum(scene.slots) * 1000 / parameters.work.service_ms * seconds
    assert len(during) / capacity == pytest.approx(parameters.load.peak_utilisation, rel=0.05)
    assert [one.sent_ms for one in scene.requests] == sorted(one.sent_ms for one in scene.requests)
    there = sum(one.ingress in crowd.sites for one in during) / seconds
    before = sum(one.ingress in crowd.sites and one.sent_ms < crowd.start_ms for one in scene.requests)
    assert there / (before / crowd.start_ms * 1000) == pytest.approx(crowd.factor, rel=0.15)


def test_work_has_a_mean_of_one() -> None:
    for distribution in ("lognormal", "exponential"):
        scene = set_scene(world_with(work={"distribution": distribution}, load={"duration_s": 10.0}), 10, seed=0)
        assert sum(one.work for one in scene.requests) / len(scene.requests) == pytest.approx(1.0, abs=0.03)


def test_crowds_are_of_neighbours_and_faults_affect_somebody_in_any_fleet() -> None:
    parameters = read_parameters()
    rtt_ms = place_sites(10, 5.0, 30.0, Random(1))
    crowded = sorted(plan_faults(parameters, rtt_ms, Random(2)).flash_crowd.sites)
    assert len(crowded) == 2
    assert crowded[1] in by_distance(rtt_ms, crowded[0])[1:3] or crowded[0] in by_distance(rtt_ms, crowded[1])[1:3]
    alone = plan_faults(parameters, [[0.0]], Random(2))
    assert alone.flash_crowd.sites == alone.brownout.sites == {0}
    large = plan_faults(parameters, place_sites(50, 5.0, 30.0, Random(1)), Random(2))
    assert (len(large.flash_crowd.sites), len(large.brownout.sites)) == (10, 5)


def test_a_disturbance_lasts_from_start_to_end_at_its_sites() -> None:
    brownout = Disturbance(frozenset({1}), 3.0, 10.0, 20.0)
    assert [brownout.factor_at(1, now_ms) for now_ms in (9, 10, 19, 20)] == [1, 3, 3, 1]
    assert brownout.factor_at(0, 15.0) == 1


# What a gateway knows


def gateway(policy: str = "hybrid") -> Gateway:
    rtt_ms = [[0.0, 6.0], [6.0, 0.0]]
    truth = Truth(rtt_ms, (4, 4), lambda site, now_ms: 15.0)
    chooser = CHOOSERS[policy](Surroundings(0, Demand(30_000.0), RoutingPolicy(), Random(1), truth))
    return Gateway(0, (0, 1), rtt_ms, (4, 4), 15.0, chooser, RoutingPolicy())


def test_a_neighbour_is_not_compared_before_it_is_heard_nor_long_after() -> None:
    one = gateway()

    def fresh_at(now_ms: float) -> list[bool]:
        one.beat(now_ms, 100.0)
        return [candidate.fresh for candidate in one.candidates.values()]

    assert fresh_at(0.0) == [True, False]
    one.hear(Beacon(Report(1, 100.0, 2, 4, 15.0), 10.0), now_ms=200.0)
    assert fresh_at(200.0) == [True, True]
    assert fresh_at(700.0) == [True, True]
    assert fresh_at(701.0) == [True, False]


def test_the_table_sends_home_what_fits_there() -> None:
    one = gateway("table")
    for _ in range(10):
        one.choose(0.5)
    one.beat(100.0, 100.0)
    one.hear(Beacon(Report(1, 0.0, 0, 4, 15.0), 50.0), 100.0)
    one.compute_table(100.0)
    assert {one.choose(draw)[0] for draw in (0.0, 0.5, 0.99)} == {one.local}  # type: ignore[index]


def test_its_beacon_tells_what_it_measured() -> None:
    one = gateway()
    one.local.sent()
    one.served(elapsed_ms=30.0, in_flight_at_send=0)
    one.local.sent()
    beacon = one.beat(100.0, 100.0)
    assert (beacon.load.site, beacon.load.written_ms, beacon.load.in_flight) == (0, 100.0, 1)
    assert 15.0 < beacon.load.service_ms < 30.0


# Outcomes


def test_a_shed_request_is_one_that_was_not_answered_in_time() -> None:
    outcomes, more = Outcomes(), Outcomes()
    for latency_ms in (10.0, 50.0, 51.0):
        outcomes.answered(latency_ms, in_flash=False)
    more.answered(20.0, in_flash=True)
    more.shed(in_flash=True)
    more.shed(in_flash=False)
    outcomes.add(more)
    summary = outcomes.summary()
    assert (summary.requests, summary.shed) == (6, 2)
    assert summary.within_50ms == pytest.approx(3 / 6)
    assert summary.flash_within_50ms == pytest.approx(1 / 2)
    assert (summary.p50_ms, summary.p99_ms) == (50.0, 51.0)


def test_a_run_without_requests_has_nothing_to_tell() -> None:
    assert Outcomes().summary().within_50ms == 0.0


@pytest.mark.parametrize("policy", sorted(CHOOSERS))
def test_every_request_is_answered_or_shed_once_and_again_alike(policy: str) -> None:
    parameters = world_with(load={"duration_s": 2.0, "warm_up_s": 0.0, "peak_utilisation": 1.5})
    first, again = (run(parameters, policy, sites=4, seed=7) for _ in range(2))
    assert first.latencies_ms() == again.latencies_ms()
    assert first.summary().requests == len(set_scene(parameters, 4, 7).requests)
    assert first.latencies_ms() != run(parameters, policy, sites=4, seed=8).latencies_ms()


def test_an_overloaded_fleet_sheds_where_the_gateway_would() -> None:
    parameters = world_with(load={"duration_s": 3.0, "peak_utilisation": 2.0})
    assert run(parameters, "hybrid", sites=3).summary().shed > 0
    assert run(parameters, "round_robin", sites=3).summary().shed == 0, "baselines have no admission"
