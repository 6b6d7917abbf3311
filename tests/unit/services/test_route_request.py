import math

import pytest

from edgemind.domain.requests import Constraints, Demand, Reason, ShedReason
from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.health import Circuit
from edgemind.domain.routing.picker import Shed
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.domain.routing.table import RoutingTable
from edgemind.services.route_request import COMPILED_SETS_LIMIT, LEAST_SERVICE_MS, PeerReport, RequestRouter
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import cloud, endpoint, fleet, router, site

M = Constraints("m")
A, B = "site-a/m@http://a:1/v1", "site-b/m"


def own_and_neighbour(clock: ManualClock | None = None) -> RequestRouter:
    """site-a with a server of its own; site-b behind a gateway."""
    sites = site("site-a", endpoint(), zones=("de",)), site("site-b", endpoint(), gateway="http://b:1", zones=("fr",))
    return router(fleet(*sites, cloud=cloud(endpoint(url="http://c:1"))), clock)


def decided(of: RequestRouter, constraints: Constraints = M, deadline_ms: float = 1000.0) -> tuple[str, str]:
    choice = of.decide(of.candidates(constraints), Demand(deadline_ms))
    if isinstance(choice, Shed):
        return "shed", choice.reason
    return choice[0].site.name, choice[1]


def candidate(of: RequestRouter, key: str) -> Candidate:
    return of.targets[key].candidate


# Who there is


def test_targets_are_own_servers_neighbours_gateways_others_servers_and_the_cloud() -> None:
    of = router(
        fleet(
            site("site-a", endpoint(), endpoint(url="http://a:2/v1", slots=2), endpoint("other", key="k")),
            site(
                "site-b",
                endpoint(slots=1, service_ms=10),
                endpoint(url="x", slots=3, service_ms=30),
                gateway="http://b:1",
            ),
            site("site-c", endpoint(url="http://c:1")),
            cloud=cloud(endpoint(url="http://d:1")),
        )
    )
    targets = {
        key: (t.base_url, t.via_gateway, t.candidate.slots, t.candidate.service_ms) for key, t in of.targets.items()
    }
    assert targets == {
        A: ("http://a:1/v1", False, 4, 20.0),
        "site-a/m@http://a:2/v1": ("http://a:2/v1", False, 2, 20.0),
        "site-a/other@http://a:1/v1": ("http://a:1/v1", False, 4, 20.0),
        "site-b/m": ("http://b:1", True, 4, 25.0),
        "site-c/m@http://c:1": ("http://c:1", False, 4, 20.0),
        "cloud/m@http://d:1": ("http://d:1", False, 4, 20.0),
    }
    assert of.targets["site-a/other@http://a:1/v1"].key == "k"
    assert of.models == ("m", "other")
    assert of.knows("m")
    assert not of.knows("n")


@pytest.mark.parametrize(("declared", "expected_ms"), [(7.0, 7.0), (0.0, 0.0)])
def test_a_declared_round_trip_is_taken_even_if_it_is_nought(declared: float, expected_ms: float) -> None:
    of = router(fleet(site("site-a", endpoint()), site("site-b", endpoint(url="http://b:1"), rtt_ms=declared)))
    assert candidate(of, "site-b/m@http://b:1").rtt_ms == expected_ms


def test_sets_are_compiled_once_per_constraints_and_bounded() -> None:
    of = own_and_neighbour()
    assert of.candidates(M) is of.candidates(Constraints("m"))
    for number in range(COMPILED_SETS_LIMIT + 10):
        of.candidates(Constraints("m", frozenset({f"zone-{number}"})))
    assert len(of._sets) <= COMPILED_SETS_LIMIT


def test_forgotten_sets_are_no_longer_kept_current() -> None:
    """Otherwise every change of load would pay for every set that there ever was."""
    of = own_and_neighbour()
    for number in range(5):
        of.candidates(Constraints("m", frozenset({f"zone-{number}"})))
        of.candidates(M)
        of.recompile()
    assert candidate(of, A)._views == []


# What happens to requests


def test_in_flight_counts_what_was_sent_and_not_yet_answered() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    for _ in range(3):
        of.sent(own)
    of.succeeded(own, 20.0, 0.0)
    of.failed(own)
    of.abandoned(own)
    assert (own.own, own.in_flight) == (0, 0.0)


def test_an_answer_of_an_own_server_is_a_measurement_after_the_next_tick() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    of.sent(own)
    of.succeeded(own, 120.0, 0.0)
    assert own.service_ms == 20.0
    of.tick()
    assert 20.0 < own.service_ms < 120.0


def test_a_neighbours_answer_says_nothing_of_its_service_time() -> None:
    of = own_and_neighbour()
    neighbour = candidate(of, B)
    of.sent(neighbour)
    of.succeeded(neighbour, 500.0, 0.0)
    of.tick()
    assert neighbour.service_ms == 20.0


def test_an_answer_that_tells_nothing_of_the_service_time_still_closes_the_circuit() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    for _ in range(2):
        of.sent(own)
        of.failed(own)
    of.sent(own)
    of.succeeded(own, None, 0.0)
    of.sent(own)
    of.failed(own)
    of.tick()
    assert (own.service_ms, own.available) == (20.0, True)


def test_a_round_trip_declared_too_long_never_makes_a_service_time_negative() -> None:
    of = own_and_neighbour()
    far = candidate(of, "cloud/m@http://c:1")
    for _ in range(500):
        of.sent(far)
        of.succeeded(far, 1.0, 0.0)
    of.tick()
    assert far.service_ms == pytest.approx(LEAST_SERVICE_MS, rel=0.1)


def test_failures_eject_time_half_opens_and_one_success_closes() -> None:
    clock = ManualClock()
    of = own_and_neighbour(clock)
    own = candidate(of, A)
    assert decided(of)[0] == "site-a"
    for _ in range(3):
        of.sent(own)
        of.failed(own)
    assert not candidate(of, A).available
    assert decided(of)[0] == "site-b"
    of.tick()
    assert not candidate(of, A).available
    clock.advance(1.01)
    of.tick()
    assert candidate(of, A).available
    of.sent(own)
    assert of.targets[A].health.circuit is Circuit.TRIAL
    assert decided(of)[0] == "site-b", "one trial at a time"
    of.succeeded(own, 20.0, 0.0)
    assert decided(of)[0] == "site-a"


def test_a_trial_whose_client_left_may_be_tried_again() -> None:
    clock = ManualClock()
    of = own_and_neighbour(clock)
    own = candidate(of, A)
    of.sent(own)
    of.failed(own, unreachable=True)
    clock.advance(1.01)
    of.tick()
    of.sent(own)
    of.abandoned(own)
    assert of.targets[A].health.circuit is Circuit.HALF_OPEN
    assert own.available


def test_unreachable_takes_every_model_at_the_address() -> None:
    of = router(fleet(site("site-a", endpoint("m"), endpoint("n"), endpoint("o", url="http://a:2"))))
    own = candidate(of, A)
    of.sent(own)
    of.failed(own, unreachable=True)
    assert [of.is_served(model) for model in ("m", "n", "o")] == [False, False, True]


def test_a_retry_goes_to_another_place_or_nowhere() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    again = of.decide_again(M, Demand(1000.0), own)
    assert again is not None
    assert (again[0].site.name, again[1]) == ("site-b", Reason.RETRY)
    assert of.decide_again(M, Demand(3.0), own) is None
    assert of.decide_again(Constraints("m", frozenset({"de"})), Demand(1000.0), own) is None


# What others report


def test_a_load_header_is_news_and_an_older_beacon_is_not() -> None:
    clock = ManualClock()
    clock.advance(100.0)
    of = own_and_neighbour(clock)
    neighbour = candidate(of, B)
    of.report_load(neighbour, 3.0, 6, 50.0)
    assert (neighbour.in_flight, neighbour.slots, neighbour.service_ms) == (3.0, 6, 50.0)
    older = {"m": PeerReport(9.0, 9, 90.0, True)}
    of.report_site("site-b", older, age_ms=200.0, rtt_ms=None)
    assert neighbour.in_flight == 3.0
    clock.advance(1.0)
    of.report_site("site-b", older, age_ms=200.0, rtt_ms=8.5)
    assert neighbour.in_flight > 3.0
    assert neighbour.rtt_ms == 8.5


def test_news_ages() -> None:
    clock = ManualClock()
    clock.advance(100.0)
    of = own_and_neighbour(clock)
    of.report_site("site-b", {"m": PeerReport(0.0, 4, 20.0, True)}, age_ms=0.0, rtt_ms=1.0)
    clock.advance(0.4)
    of.tick()
    assert candidate(of, B).fresh
    clock.advance(0.2)
    of.tick()
    assert not candidate(of, B).fresh
    assert of.candidates(M).costs_ms[1] == math.inf


def test_a_model_that_a_neighbour_is_not_ready_for_is_not_sent_there() -> None:
    clock = ManualClock()
    clock.advance(100.0)
    of = own_and_neighbour(clock)
    of.close_sites({"site-a": "draining"})
    of.report_site("site-b", {"m": PeerReport(0.0, 4, 20.0, False), "n": PeerReport(0.0, 1, 1.0, True)}, 0.0, None)
    assert decided(of) == ("cloud", Reason.CLOUD)
    of.report_site("site-b", {"m": PeerReport(0.0, 4, 20.0, True)}, age_ms=0.0, rtt_ms=None)
    assert decided(of)[0] == "site-b"


def test_other_workers_of_the_site_count_and_so_do_own_requests() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    of.sent(own)
    of.report_local("m", 2.0, ready=True)
    assert own.in_flight == 3.0
    assert of.local_load("m") == (3.0, 4, 20.0)
    assert of.own_load("m") == (1, 4, 20.0)
    of.succeeded(own, 20.0, 0.0)
    assert own.in_flight == 2.0
    of.report_local("m", 0.0, ready=False)
    assert decided(of)[0] == "site-b"


def test_replicas_multiply_the_slots_of_the_own_servers_also_after_a_reload() -> None:
    of = own_and_neighbour()
    of.report_local("m", 2.0, ready=True, replicas=3)
    assert of.local_load("m") == (2.0, 12, 20.0)
    assert candidate(of, A).terms.slots == 12
    of.replace_fleet(of.fleet, of.policy)
    assert of.local_load("m") == (2.0, 12, 20.0)
    of.report_local("m", 2.0, ready=True)
    assert of.local_load("m") == (2.0, 4, 20.0)
    of.report_local("m", 0.0, ready=True, replicas=0)
    assert decided(of)[0] == "site-b"


def test_load_of_a_model_that_the_site_does_not_hold() -> None:
    of = own_and_neighbour()
    assert of.local_load("n") == (0, 0, 0.0)


def test_closed_sites_take_no_new_requests() -> None:
    of = own_and_neighbour()
    of.close_sites({"site-a": "draining", "site-b": "suspected to be down"})
    assert decided(of) == ("cloud", Reason.CLOUD)
    assert {one.why for one in of.candidates(M).exclusions} == {"draining", "suspected to be down"}
    of.close_sites({})
    assert decided(of)[0] == "site-a"


def test_the_table_gives_the_first_choice() -> None:
    of = router(fleet(site("site-a", endpoint()), site("site-b", endpoint(), gateway="http://b:1", rtt_ms=1.0)))
    assert decided(of) == ("site-a", Reason.TABLE), "without a table the nearest"
    of.use_table(RoutingTable(3, 0, {"m": {"site-b": 10.0}}))
    assert decided(of) == ("site-b", Reason.TABLE)
    assert of.table.version == 3


def test_residency_is_never_left_whatever_the_table_says() -> None:
    of = own_and_neighbour()
    of.use_table(RoutingTable(3, 0, {"m": {"site-b": 10.0}}))
    assert decided(of, Constraints("m", frozenset({"de"})))[0] == "site-a"
    assert decided(of, Constraints("m", frozenset({"jp"}))) == ("shed", ShedReason.RESIDENCY_UNSATISFIABLE)


def test_a_forwarded_request_stays_here() -> None:
    of = own_and_neighbour()
    of.close_sites({"site-a": "draining"})
    assert decided(of, Constraints("m", local_only=True)) == ("shed", ShedReason.NO_HEALTHY_CANDIDATE)


# Reload


def test_a_reload_keeps_what_is_known_and_takes_what_is_declared() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    of.sent(own)
    of.succeeded(own, 120.0, 0.0)
    of.tick()
    measured_ms = own.service_ms
    of.sent(own)
    of.replace_fleet(fleet(site("site-a", endpoint(slots=9, service_ms=77.0), endpoint("n"))), RoutingPolicy())
    assert candidate(of, A) is own
    assert (own.own, own.slots, own.service_ms) == (1, 9, measured_ms)
    assert of.models == ("m", "n")
    assert set(of.targets) == {A, "site-a/n@http://a:1/v1"}


def test_a_new_key_or_address_makes_a_new_target() -> None:
    of = own_and_neighbour()
    own = candidate(of, A)
    for _ in range(3):
        of.sent(own)
        of.failed(own)
    of.replace_fleet(fleet(site("site-a", endpoint(key="new"))), RoutingPolicy())
    assert candidate(of, A) is not own
    assert of.targets[A].key == "new"
    assert candidate(of, A).available


def test_requests_under_way_may_end_after_their_target_is_gone() -> None:
    clock = ManualClock()
    of = own_and_neighbour(clock)
    gone = candidate(of, B)
    for _ in range(4):
        of.sent(gone)
    of.failed(gone)
    of.failed(gone)
    of.failed(gone)
    of.replace_fleet(fleet(site("site-a", endpoint())), RoutingPolicy())
    of.failed(gone)
    clock.advance(60.0)
    of.tick()
    assert gone.own == 0
