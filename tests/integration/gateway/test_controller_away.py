"""A gateway and its controller: what it takes from it, and how it goes on when that is gone, hangs or raves."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import SITE_TOKEN, FleetFolder, GatewayProcess, eventually, fleet_document
from tests.support.house import House

HERE = {"x-edgemind-residency": "de"}
NOTHING: dict[str, Any] = {"v": 1, "table": None, "beacons": [], "local": {}, "drain": False}
TABLE = {"version": 5, "computed_at_ms": 1, "weights": {"m": {"site-b": 1.0}}}
ELSEWHERE = {"site": "site-b", "age_ms": 1.0, "rtt_ms": 1.0, "draining": False, "suspected": False}


NONSENSE: list[object] = [
    [],
    "text",
    None,
    7,
    {"beacons": 7},
    {"beacons": [7]},
    {"beacons": [{}]},
    {"beacons": [{**ELSEWHERE, "models": {"m": 7}}]},
    {"beacons": [{**ELSEWHERE, "models": {"m": {"slots": 4}}}]},
    {"local": {"m": None}},
    {"table": {"version": 1}},
]


class FakeController:
    """Answers each round with `answer`, whatever that is; hangs while `awake` is not set."""

    def __init__(self) -> None:
        self.answer: Any = NOTHING
        self.status = 200
        self.gone = False
        self.awake = threading.Event()
        self.awake.set()
        self.rounds: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.tokens.add(self.headers["x-edgemind-site-token"])
                outer.rounds.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                outer.awake.wait()
                if outer.gone:
                    self.close_connection = True
                    return
                body = json.dumps(outer.answer).encode()
                self.send_response(outer.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Not on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.gone = True
        self.awake.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def controller() -> Iterator[FakeController]:
    running = FakeController()
    yield running
    running.stop()


def started(
    controller: FakeController, upstreams: FakeUpstreams, folder: Path, **groups: Any
) -> tuple[GatewayProcess, FleetFolder]:
    """Site A with a controller; site B, reached directly, serves the same model."""
    here, there = (
        {"name": "m", "base_url": f"{upstreams.url(place)}/v1", "slots": 4, "service_ms": 20} for place in ("a", "b")
    )
    sites: list[dict[str, Any]] = [
        {"name": "site-a", "zones": ["de"], "controller": controller.url, "rtt_ms": {"site-b": 1.0}, "models": [here]},
        {"name": "site-b", "models": [there]},
    ]
    fleet = FleetFolder(folder, fleet_document(sites, auth="off", routing={"override_margin_ms": 10_000}, **groups))
    return GatewayProcess(fleet, "site-a", "--port", "0"), fleet


@pytest.fixture(scope="module")
def guided(
    controller: FakeController, upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    process, folder = started(controller, upstreams, tmp_path_factory.mktemp("guided"))
    with process as gateway:
        yield House(gateway, folder, upstreams, {"demo": "none-needed"})


@dataclass
class Stopping:
    """A gateway that drains at once, and holds one decision that its controller, which hangs, has not taken."""

    house: House
    controller: FakeController

    def handed_over(self) -> list[Any]:
        return [one for told in self.controller.rounds for one in told.get("journal", {}).get("decisions", [])]


@pytest.fixture
def stopping(upstreams: FakeUpstreams, tmp_path: Path) -> Iterator[Stopping]:
    controller = FakeController()
    process, folder = started(controller, upstreams, tmp_path, limits={"drain_s": 0})
    with process as gateway:
        house = House(gateway, folder, upstreams, {"demo": "none-needed"})
        eventually("they talk", lambda: exchange(house)["heard_s_ago"] is not None)
        controller.awake.clear()
        sent = len(controller.rounds)
        eventually("it hangs", lambda: len(controller.rounds) > sent)
        assert house.chat("m", headers=HERE).status == 200
        controller.rounds.clear()
        yield Stopping(house, controller)
    controller.stop()


def exchange(house: House) -> dict[str, Any]:
    told: dict[str, Any] = house.gateway.admin("/edgemind/v1/load").json()["controller"]
    return told


def closed(house: House) -> dict[str, str]:
    found: dict[str, str] = house.gateway.admin("/edgemind/v1/load").json()["closed"]
    return found


def failed_since(house: House, failures: int) -> bool:
    return bool(exchange(house)["failures"] > failures)


def version(house: House) -> int:
    return int(house.gateway.admin("/edgemind/v1/table").json()["version"])


def test_the_table_is_followed(guided: House, controller: FakeController) -> None:
    assert guided.chat("m")["x-edgemind-site"] == "site-a"
    controller.answer = NOTHING | {"table": TABLE}
    eventually("the table is taken", lambda: version(guided) == 5)
    answer = guided.chat("m")
    assert (answer["x-edgemind-site"], answer["x-edgemind-reason"]) == ("site-b", "table")
    assert controller.tokens == {SITE_TOKEN}


def test_a_controller_that_hangs_is_out_of_reach_too(guided: House, controller: FakeController) -> None:
    eventually("they talk", lambda: exchange(guided)["heard_s_ago"] is not None)
    controller.awake.clear()
    eventually("it is noticed", partial(failed_since, guided, exchange(guided)["failures"]))
    assert guided.chat("m").status == 200
    controller.awake.set()
    eventually("they talk again", lambda: exchange(guided)["last_error"] is None)


def test_an_answer_that_makes_no_sense_is_a_failed_round_and_no_more(guided: House, controller: FakeController) -> None:
    for nonsense in NONSENSE:
        controller.answer, before = nonsense, exchange(guided)["failures"]
        eventually(f"{nonsense!r} is noticed", partial(failed_since, guided, before + 1))
        assert guided.chat("m").status == 200
    controller.answer = NOTHING
    eventually("they talk again", lambda: exchange(guided)["last_error"] is None)


def test_what_the_gateway_reports(guided: House, controller: FakeController) -> None:
    running = guided.call("m", fake={"a": {"gated": True}}, headers=HERE)
    with guided.begin(running) as wire:
        guided.upstreams.wait_seen(running.marker)
        eventually(
            "it is reported", lambda: bool(controller.rounds) and controller.rounds[-1]["models"]["m"]["in_flight"] == 1
        )
        guided.upstreams.release(running.marker)
        answer = wire.answer()
    eventually("it is over", lambda: bool(controller.rounds) and controller.rounds[-1]["models"]["m"]["in_flight"] == 0)
    last = controller.rounds[-1]
    assert (last["site"], last["worker"], last["workers"], last["draining"]) == ("site-a", 0, 1, False)
    assert last["stats"]["ok"] >= 1
    assert last["decisions"][0]["id"] == answer["x-request-id"]


def test_a_drained_site_sends_its_requests_elsewhere(guided: House, controller: FakeController) -> None:
    controller.answer = NOTHING | {"drain": True}
    eventually("it drains", lambda: closed(guided) == {"site-a": "draining"})
    assert guided.chat("m")["x-edgemind-site"] == "site-b"
    assert guided.chat("m", headers=HERE).status == 503
    controller.answer = NOTHING
    eventually("it is back", lambda: closed(guided) == {})
    assert guided.chat("m", headers=HERE)["x-edgemind-site"] == "site-a"


def test_with_the_controller_gone_the_last_table_is_kept(guided: House, controller: FakeController) -> None:
    controller.answer = NOTHING | {"table": TABLE}
    eventually("the table is taken", lambda: version(guided) == 5)
    controller.gone = True
    eventually("it is noticed", partial(failed_since, guided, exchange(guided)["failures"]))
    assert exchange(guided)["last_error"]
    assert (version(guided), guided.chat("m")["x-edgemind-site"]) == (5, "site-b")
    assert guided.gateway.admin("/edgemind/v1/table").json()["age_s"] > 0
    assert guided.gateway.metrics()["edgemind_gateway_table_age_seconds"] > 0
    guided.gateway.wait_log("serving on the last routing table")


def test_the_drain_of_a_gateway_is_reported(guided: House, controller: FakeController) -> None:
    controller.gone = False
    guided.gateway.terminate()
    eventually("the drain is reported", lambda: bool(controller.rounds) and controller.rounds[-1]["draining"])


def test_a_gateway_that_stops_hands_over_what_it_decided(stopping: Stopping) -> None:
    stopping.house.gateway.terminate()
    eventually("the rest is handed over", stopping.handed_over)
    stopping.controller.awake.set()
    assert stopping.house.gateway.exit_code() == 0
    assert stopping.handed_over()[0]["residency"] == ["de"]
    assert "handed over" not in stopping.house.gateway.log()


def test_a_gateway_that_stops_tells_what_it_could_not_hand_over(stopping: Stopping) -> None:
    stopping.house.gateway.terminate()
    assert stopping.house.gateway.exit_code() == 0
    assert "1 decisions could not be handed over to the controller" in stopping.house.gateway.log()
