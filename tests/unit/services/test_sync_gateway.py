import asyncio
from typing import Any

import orjson
import pytest

from edgemind.domain.requests import Constraints
from edgemind.errors import TemporaryError, UpstreamUnreachable
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import RecentDecisions
from edgemind.services.route_request import RequestRouter
from edgemind.services.sync_gateway import SUSPICION_KEPT_S, GatewaySync, WorkerIdentity
from tests.support.clocks import ManualClock
from tests.support.gateway_parts import endpoint, fleet, record, router, site

M = Constraints("m")
BEACON = {"site": "site-b", "age_ms": 20, "rtt_ms": 3.5, "draining": False, "suspected": False}
LOAD = {"in_flight": 2, "slots": 4, "service_ms": 20.0, "ready": True}


class FakeController:
    """An upstream whose every answer is `status` and `answer`, in two pieces; it keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = {"v": 1, "table": None, "beacons": [], "local": {}, "drain": False}
        self.heads: list[bytes] = []
        self.bodies: list[dict[str, Any]] = []
        self.trouble: Exception | None = None

    async def send(self, head: bytes, body: bytes) -> "FakeController":
        if self.trouble is not None:
            raise self.trouble
        self.heads.append(head)
        self.bodies.append(orjson.loads(body))
        return self

    async def whole(self) -> bytes:
        return orjson.dumps(self.answer)


class Stage:
    def __init__(self) -> None:
        self.clock, self.controller = ManualClock(), FakeController()
        self.clock.advance(100.0)
        sites = site("site-a", endpoint()), site("site-b", endpoint(), endpoint("n"), gateway="http://b:1")
        self.router: RequestRouter = router(fleet(*sites), self.clock)
        self.stats, self.decisions = GatewayStats(), RecentDecisions()
        self.sync = GatewaySync(
            WorkerIdentity("site-a", 1, 2),
            self.router,
            self.stats,
            self.decisions,
            self.clock,
            "http://127.0.0.1:8200/prefix/",
            self.controller,  # type: ignore[arg-type]
            "token",
        )

    def round(self, **answer: Any) -> None:
        self.controller.answer = {**self.controller.answer, **answer}
        asyncio.run(self.sync.exchange(draining=False))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_request_goes_to_the_controller_with_the_token(stage: Stage) -> None:
    stage.round()
    lines = stage.controller.heads[0].decode().split("\r\n")
    assert lines[0] == "POST /prefix/edgemind/v1/gateways/sync HTTP/1.1"
    assert {"host: 127.0.0.1:8200", "x-edgemind-site-token: token"} <= set(lines)
    stage.sync.renew("new")
    stage.round()
    assert b"x-edgemind-site-token: new" in stage.controller.heads[1]


def test_the_report_tells_load_demand_counters_and_decisions(stage: Stage) -> None:
    own = stage.router.targets["site-a/m@http://a:1/v1"].candidate
    stage.round()
    stage.router.sent(own)
    stage.stats.arrivals["m"] += 5
    stage.stats.requests = 5
    for number in range(30):
        stage.decisions.add(record(stage.router, f"dec-{number}"))
    stage.clock.advance(1.0)
    stage.round()
    body = stage.controller.bodies[1]
    assert (body["v"], body["site"], body["worker"], body["workers"], body["draining"]) == (1, "site-a", 1, 2, False)
    assert body["models"]["m"] == {"in_flight": 1, "slots": 4, "service_ms": 20.0, "arrivals_per_s": 5.0, "ready": True}
    assert (body["models"]["n"]["slots"], body["models"]["n"]["ready"]) == (0, False), "demand for it still counts"
    assert body["stats"]["requests"] == 5
    assert body["decisions"][0]["id"] == "dec-29"
    assert len(body["decisions"]) == 20


def test_a_table_is_taken_and_its_absence_keeps_the_last(stage: Stage) -> None:
    stage.round(table={"version": 7, "computed_at_ms": 123, "weights": {"m": {"site-b": 2.0}}})
    assert (stage.router.table.version, stage.router.table.weights) == (7, {"m": {"site-b": 2.0}})
    stage.round(table=None)
    assert stage.router.table.version == 7


def test_beacons_bring_load_round_trips_and_closed_sites(stage: Stage) -> None:
    neighbour = stage.router.targets["site-b/m"].candidate
    stage.round(beacons=[{**BEACON, "models": {"m": LOAD, "unknown": LOAD, "n": {"slots": 0}}}])
    assert (neighbour.in_flight, neighbour.rtt_ms, neighbour.ready) == (2.0, 3.5, True)
    stage.round(beacons=[{**BEACON, "suspected": True, "models": {}}])
    assert stage.router.closed == {"site-b": "suspected to be down"}
    stage.round(beacons=[{**BEACON, "draining": True, "suspected": True, "models": {}}], drain=True)
    assert stage.router.closed == {"site-b": "draining", "site-a": "draining"}
    stage.round(beacons=[], drain=False)
    assert stage.router.closed == {}


def test_local_servers_are_as_busy_as_all_workers_make_them(stage: Stage) -> None:
    own = stage.router.targets["site-a/m@http://a:1/v1"].candidate
    stage.round(local={"m": {"in_flight": 3, "ready": False}, "unknown": {"in_flight": 1}})
    assert (own.in_flight, own.ready) == (3.0, False)
    stage.round(local={"m": {"in_flight": 0}})
    assert own.in_flight < 3.0
    assert own.ready


def test_fields_of_a_newer_controller_are_ignored_and_missing_ones_are_nothing(stage: Stage) -> None:
    stage.controller.answer = {"v": 2, "news": [1, 2, 3]}
    asyncio.run(stage.sync.exchange(draining=True))
    assert stage.router.closed == {}
    assert stage.controller.bodies[0]["draining"] is True


@pytest.mark.parametrize("status", [401, 500])
def test_a_refusal_is_temporary_and_says_what_the_controller_said(stage: Stage, status: int) -> None:
    stage.controller.status = status
    with pytest.raises(TemporaryError, match=str(status)):
        stage.round(error="no such token")
    assert stage.sync.last_success_s is None


def test_while_the_controller_is_silent_suspicions_end_and_the_rest_stays(stage: Stage) -> None:
    stage.round(
        beacons=[{**BEACON, "suspected": True, "models": {}}],
        drain=True,
        table={"version": 7, "computed_at_ms": 1, "weights": {}},
    )
    stage.controller.trouble = UpstreamUnreachable("connection refused")
    stage.sync.failed(stage.controller.trouble)
    assert stage.router.closed == {"site-b": "suspected to be down", "site-a": "draining"}
    stage.clock.advance(SUSPICION_KEPT_S + 0.1)
    stage.sync.failed(stage.controller.trouble)
    assert stage.router.closed == {"site-a": "draining"}, "its own drain was an order"
    assert stage.router.table.version == 7
    assert (stage.sync.failures, stage.sync.last_error) == (2, "connection refused")
    stage.controller.trouble = None
    stage.round(beacons=[], drain=False)
    assert (stage.sync.last_error, stage.router.closed, stage.sync.failures) == (None, {}, 2)


def test_a_controller_that_never_answered_leaves_everything_open(stage: Stage) -> None:
    stage.sync.failed(OSError("no route"))
    assert stage.router.candidates(M).members
    assert stage.sync.last_success_s is None


def test_a_gateway_that_is_one_of_several_says_where_it_is_reached(stage: Stage) -> None:
    stage.round()
    assert "admin" not in stage.controller.bodies[0], "an older controller needs not to know"
    stage.sync._identity = WorkerIdentity("site-a", 1, 2, "http://10.0.0.7:8151")
    stage.round()
    assert stage.controller.bodies[1]["admin"] == "http://10.0.0.7:8151"


def test_the_controller_counts_the_workers_of_the_site(stage: Stage) -> None:
    stage.round(workers=6)
    assert stage.sync.site_workers == 6
    stage.round(workers=1)
    assert stage.sync.site_workers == 2, "its own gateway has two"


def test_sites_that_joined_become_candidates_until_they_leave(stage: Stage) -> None:
    joined: dict[str, Any] = {
        "version": 3,
        "sites": [{"name": "site-n", "gateway": "http://n:8100", "controller": "http://n:8200"}],
    }
    joined["sites"][0]["models"] = [{"name": "n", "base_url": "http://n:9000", "slots": 2, "service_ms": 5}]
    stage.sync.apply({"joined": joined})
    assert {one.site.name for one in stage.router.candidates(Constraints("n")).members} == {"site-b", "site-n"}
    assert stage.sync.report(draining=False)["joined_version"] == 3

    stage.router.replace_fleet(fleet(site("site-a", endpoint()), site("site-b", endpoint("n"))), stage.router.policy)
    assert stage.router.fleet.site("site-n") is not None, "a reload of edgemind.yaml does not take it away"

    stage.sync.apply({"joined": None})
    assert stage.router.fleet.site("site-n") is not None
    stage.sync.apply({"joined": {"version": 4, "sites": []}})
    assert stage.router.fleet.site("site-n") is None


def test_sites_that_cannot_be_read_are_a_passing_trouble_of_the_exchange(stage: Stage) -> None:
    with pytest.raises(TemporaryError, match=r"joined\.version"):
        stage.sync.apply({"joined": {"version": "new"}})
    assert stage.sync.report(draining=False)["joined_version"] == 0
