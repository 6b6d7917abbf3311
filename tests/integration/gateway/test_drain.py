"""Stopping a gateway: what is under way ends well, what is new goes elsewhere, and the process is gone."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.fake_upstream import FakeUpstreams
from tests.support.gateway_process import FleetFolder, GatewayProcess, eventually, fleet_document
from tests.support.house import Call, House
from tests.support.wire import ConnectionEnded, Wire, ask, request_bytes

LIVE = request_bytes("GET", "/v2/health/live")
Start = Callable[..., House]


@pytest.fixture
def start(upstreams: FakeUpstreams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts gateways of a site with one model, `m-0`, without keys."""
    started: list[GatewayProcess] = []

    def start_one(*flags: str, drain_s: float = 0.5) -> House:
        model = {"name": "m-0", "base_url": f"{upstreams.url('a')}/v1", "slots": 64, "service_ms": 20}
        document = fleet_document([{"name": "site-a", "models": [model]}], auth="off", limits={"drain_s": drain_s})
        folder = FleetFolder(tmp_path_factory.mktemp("drain"), document)
        gateway = GatewayProcess(folder, "site-a", "--port", "0", *flags)
        started.append(gateway)
        return House(gateway.__enter__(), folder, upstreams, {"demo": "none-needed"})

    yield start_one
    for gateway in started:
        gateway.kill()


def refuses_connections(house: House) -> bool:
    try:
        ask(house.gateway.port, "GET", "/v2/health/live")
    except (ConnectionRefusedError, ConnectionEnded, ConnectionResetError):
        return True
    return False


def draining(house: House) -> bool:
    return house.gateway.admin("/readyz").status == 503


def test_requests_under_way_are_finished_and_the_exit_is_clean(start: Start) -> None:
    house = start()
    stream = house.call("m-0", fake={"a": {"do": "sse", "chunks": 3, "gated": True}})
    waiting = house.call("m-0", fake={"a": {"gated": True}})
    half = house.call("m-0")
    streaming, pending, sending = house.begin(stream), house.begin(waiting), house.wire()
    house.upstreams.release(stream.marker)
    assert streaming.head()[0] == 200
    house.upstreams.wait_seen(waiting.marker)
    sending.send(half.raw[:-20])
    house.gateway.terminate()
    eventually("it drains", lambda: draining(house))

    eventually("it accepts no more", lambda: refuses_connections(house))
    assert house.gateway.process.poll() is None, "it waits for those"
    sending.send(half.raw[-20:])
    answer = sending.answer()
    assert (answer.json()["marker"], answer["connection"]) == (half.marker, "close")
    house.upstreams.release(waiting.marker)
    answer = pending.answer()
    assert (answer.json()["marker"], answer["connection"]) == (waiting.marker, "close")
    house.upstreams.release(stream.marker, 2)
    body = b""
    while chunk := streaming.chunk():
        body += chunk
    assert chunk == b""
    assert body.endswith(b"data: [DONE]\n\n")
    assert all(wire.closed() for wire in (streaming, pending, sending))
    assert house.gateway.exit_code() == 0
    assert refuses_connections(house)
    assert "Traceback" not in house.gateway.log()


def test_while_draining_it_still_serves_and_asks_clients_to_go(start: Start) -> None:
    house = start(drain_s=2)
    with house.wire() as kept, house.wire() as idle:
        kept.send(LIVE)
        assert not kept.answer().has("connection")
        house.gateway.terminate()
        eventually("it drains", lambda: draining(house))
        assert house.gateway.admin("/healthz").status == 200, "alive, but not ready"
        kept.send(LIVE)
        assert kept.answer()["connection"] == "close"
        assert kept.closed()
        fresh = house.chat("m-0")
        assert (fresh.status, fresh["connection"]) == (200, "close")
        assert idle.closed(), "in the end an idle connection is closed"
    assert house.gateway.exit_code() == 0


def test_pipelined_requests_are_all_answered_and_the_last_answer_closes(start: Start) -> None:
    house = start(drain_s=1)
    first, behind = (house.call("m-0", fake={"a": {"gated": True}}) for _ in range(2))
    with house.begin(first) as wire, house.wire() as other:
        house.upstreams.wait_seen(first.marker)
        house.gateway.terminate()
        eventually("it drains", lambda: draining(house))
        wire.send(LIVE + behind.raw)
        for call in (first, behind):
            house.upstreams.release(call.marker)
        answers = [wire.answer() for _ in range(3)]
        assert [answer.has("connection") for answer in answers] == [False, False, True]
        assert [answers[0].json()["marker"], answers[2].json()["marker"]] == [first.marker, behind.marker]
        assert wire.closed()
        other.send(LIVE * 3)
        assert [other.answer().has("connection") for _ in range(3)] == [False, False, True]
        assert other.closed()
    assert house.gateway.exit_code() == 0


def test_requests_sent_all_the_time_are_answered_or_never_accepted(start: Start) -> None:
    """From the signal to the exit whoever reconnects sees whole answers, then refused connections; nothing else."""
    house = start(drain_s=0.3)
    house.gateway.terminate()
    answered = 0
    while True:
        call = house.call("m-0")
        try:
            wire = Wire(house.gateway.port)
        except ConnectionRefusedError:
            break
        with wire:
            try:
                wire.send(call.raw)
                assert wire.answer().json()["marker"] == call.marker
                answered += 1
            except (ConnectionEnded, ConnectionResetError, BrokenPipeError):
                # It was in the backlog when the listener closed: not one of its bytes was read.
                assert not house.upstreams.seen(call.marker)
    assert answered > 0
    assert house.gateway.exit_code() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_gateway_ends_after_its_drain_time(start: Start, number: signal.Signals) -> None:
    house = start(drain_s=0)
    with house.wire():
        house.gateway.signal(number)
        assert house.gateway.exit_code() == 0
    assert "Traceback" not in house.gateway.log()


# Several workers on one socket


def test_two_workers_share_one_port_and_stop_together(start: Start) -> None:
    house = start("--workers", "2")
    workers = house.gateway.workers()
    assert len(workers) == 2
    running, wires = spread(house, workers)
    served = [house.gateway.metrics(worker)["edgemind_gateway_requests_total"] for worker in (0, 1)]
    assert served == [5, 5]
    house.gateway.terminate()
    eventually("both drain", lambda: all(house.gateway.admin("/readyz", worker=k).status == 503 for k in (0, 1)))
    for call, wire in zip(running, wires, strict=True):
        house.upstreams.release(call.marker)
        answer = wire.answer()
        assert (answer.json()["marker"], answer["connection"]) == (call.marker, "close")
        assert answer["x-request-id"].startswith(("dec-site-a-0-", "dec-site-a-1-"))
        wire.close()
    assert house.gateway.exit_code() == 0
    assert refuses_connections(house)
    assert not [pid for pid in workers if _alive(pid)]


def test_a_killed_worker_takes_its_own_connections_only_and_is_replaced(start: Start) -> None:
    house = start("--workers", "2")
    victim, survivor = house.gateway.workers()
    running, wires = spread(house, [victim, survivor])
    os.kill(victim, signal.SIGKILL)
    while victim in house.gateway.workers() or len(house.gateway.workers()) < 2:
        assert ask(house.gateway.port, "GET", "/v2/health/live").status == 200, "no connection is refused meanwhile"
    lost = 0
    for call, wire in zip(running, wires, strict=True):
        house.upstreams.release(call.marker)
        try:
            assert wire.answer().json()["marker"] == call.marker
        except ConnectionEnded:
            lost += 1
        wire.close()
    assert lost == 5
    assert survivor in house.gateway.workers()
    for worker in (0, 1):
        eventually("both are ready", partial(_ready, house, worker))
    assert [house.chat("m-0").status for _ in range(10)] == [200] * 10
    house.gateway.wait_log("starting it again")
    house.gateway.terminate()
    assert house.gateway.exit_code() == 0


def test_a_supervisor_that_is_killed_leaves_no_workers_behind(start: Start) -> None:
    house = start("--workers", "2", drain_s=0.2)
    workers = house.gateway.workers()
    running = house.call("m-0", fake={"a": {"gated": True}})
    with house.begin(running) as wire:
        house.upstreams.wait_seen(running.marker)
        house.gateway.signal(signal.SIGKILL)
        eventually("nobody accepts any more", lambda: refuses_connections(house))
        house.upstreams.release(running.marker)
        assert wire.answer().status == 200, "they drain"
    eventually("they are gone", lambda: not any(_alive(pid) for pid in workers))


def test_a_tenants_rate_is_divided_by_the_workers(upstreams: FakeUpstreams, tmp_path: Path) -> None:
    model = {"name": "m-0", "base_url": f"{upstreams.url('a')}/v1", "slots": 64, "service_ms": 20}
    tenants = [{"name": "demo", "models": ["*"], "rate_per_s": 0.01, "burst": 6}]
    folder = FleetFolder(tmp_path, fleet_document([{"name": "site-a", "models": [model]}], tenants=tenants))
    keys = {"demo": folder.new_key("demo")}
    with GatewayProcess(folder, "site-a", "--port", "0", "--workers", "2") as gateway:
        house = House(gateway, folder, upstreams, keys)
        statuses = [house.chat("m-0").status for _ in range(60)]
    assert 3 <= statuses.count(200) <= 6, "three for each worker, whichever of them accepts"
    assert set(statuses) == {200, 429}


def test_a_port_that_is_taken_is_said_in_one_line(start: Start) -> None:
    house = start()
    second = GatewayProcess(house.folder, "site-a", "--port", str(house.gateway.port))
    assert second.exit_code() != 0
    assert f"127.0.0.1:{house.gateway.port} is taken by another process" in second.log()
    assert "Traceback" not in second.log()


def _ready(house: House, worker: int) -> bool:
    try:
        return house.gateway.admin("/readyz", worker=worker).status == 200
    except OSError:
        return False


def _alive(pid: int) -> bool:
    """Neither gone nor waiting to be reaped by whoever inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def spread(house: House, workers: list[int]) -> tuple[list[Call], list[Wire]]:
    """Five requests under way at each of two workers. Whichever is awake accepts, so the other one is put to sleep."""
    calls: list[Call] = []
    wires: list[Wire] = []
    for sleeper in reversed(workers):
        os.kill(sleeper, signal.SIGSTOP)
        batch = [house.call("m-0", fake={"a": {"gated": True}}) for _ in range(5)]
        wires += [house.begin(call) for call in batch]
        for call in batch:
            house.upstreams.wait_seen(call.marker)
        calls += batch
        os.kill(sleeper, signal.SIGCONT)
    return calls, wires
