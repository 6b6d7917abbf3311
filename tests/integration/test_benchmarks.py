"""The benchmark's own honesty, at a scale of a few hundred requests: nothing here looks at how long anything took."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import benchmarks
from benchmarks.accounting import process_tree
from benchmarks.connection import Address
from benchmarks.contenders import stage
from benchmarks.gateway import measure_gateways
from benchmarks.load import closed_loop, open_loop
from benchmarks.machine import choose_cores
from benchmarks.payloads import JSON_ANSWER, json_exchange
from benchmarks.peers.base import Bench, Launch, Peer
from benchmarks.peers.catalogue import PEERS
from benchmarks.rounds import plan_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="platform: epoll and the accounting are Linux's"),
]

EXCHANGE = json_exchange("127.0.0.1", "key")


def quiet(line: str) -> None:
    """No progress in tests."""


def cores() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0))


@contextmanager
def server(status: int, body: bytes) -> Iterator[Address]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # Head and body in one segment.

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Not on the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield ("127.0.0.1", listening.server_port)
        listening.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, JSON_ANSWER[:-1] + b" ", "wrong body"), (503, b"{}", "status 503")],
)
def test_a_wrong_answer_is_an_error_and_never_a_latency(status, body, reason):
    with server(status, body) as address:
        result = closed_loop(address, EXCHANGE, connections=2, count=10)
    assert result.answered() == 0
    assert result.errors == {reason: 10}


def test_open_and_closed_loops_count_every_right_answer(tmp_path):
    with stage(tmp_path, tmp_path, choose_cores(cores()), 1.0) as (place, _):
        direct = place.direct()
        closed = closed_loop(direct.address, direct.plain, connections=4, count=200)
        opened = open_loop(direct.address, direct.streamed, 500.0, 100, Random(1))
    assert (closed.answered(), opened.answered()) == (200, 100)
    assert closed.connections_opened == 4
    assert not closed.errors
    assert not opened.errors
    pairs = zip(opened.first_body_ns, opened.latency_ns, strict=True)
    assert all(0 < first_ns < whole_ns for first_ns, whole_ns in pairs)


def test_nothing_listening_is_an_error_of_the_call():
    with server(200, b"") as address:
        pass
    with pytest.raises(ConnectionRefusedError):
        closed_loop(address, EXCHANGE, connections=1, count=1)


def _never_answers(bench: Bench) -> Launch:
    return Launch([sys.executable, "-c", "raise SystemExit('the port is taken')"])


def test_a_run_measures_who_starts_and_names_who_does_not(tmp_path):
    broken = Peer("broken", "", _never_answers)
    plan = plan_for(100, 1)
    before = set(process_tree(os.getpid()))
    outcome = measure_gateways([PEERS["uvicorn+aiohttp"], broken], plan, 0.0, tmp_path, cores(), quiet)
    assert [row.name for row in outcome.rows] == ["uvicorn+aiohttp"]
    row = outcome.rows[0]
    assert row.errors == 0
    assert row.cpu_us is not None
    assert row.cpu_us > 0
    assert outcome.not_measured == {"broken": "it ended at once: the port is taken"}
    assert set(process_tree(os.getpid())) <= before


@pytest.mark.engine
@pytest.mark.parametrize("name", ["envoy", "vllm-router"])
def test_a_peer_serves_both_kinds_of_request(tmp_path, name):
    beside = Path(sys.executable).parent / name
    if not beside.exists() and not shutil.which(name):
        pytest.skip(f"{name} is not installed (requirements/bench.lock)")
    with stage(tmp_path, tmp_path, choose_cores(cores()), 0.0) as (place, stack):
        contender = place.start(PEERS[name], stack)
        plain = closed_loop(contender.address, contender.plain, 8, 200)
        streamed = closed_loop(contender.address, contender.streamed, 8, 20)
    assert (plain.answered(), streamed.answered()) == (200, 20)
    assert (plain.connections_opened, streamed.connections_opened) == (8, 8)


def test_the_command_prints_a_table_and_writes_its_report(tmp_path):
    file = tmp_path / "gateway.json"
    arguments = ["--peers", "uvicorn+aiohttp", "--requests", "100", "--rounds", "1", "--report", str(file)]
    result = CliRunner().invoke(benchmarks, ["gateway", *arguments])
    assert result.exit_code == 0, result.output
    assert "uvicorn+aiohttp" in result.output
    report = json.loads(file.read_text())
    assert [row["name"] for row in report["rows"]] == ["uvicorn+aiohttp"]
    assert report["rows"][0]["ratio_to_envoy"] is None


def test_an_unknown_peer_lists_the_known_ones():
    result = CliRunner().invoke(benchmarks, ["gateway", "--peers", "nginx"])
    assert result.exit_code == 2
    assert "vllm-router" in result.output


def test_memory_is_sampled_and_its_growth_told():
    arguments = ["--peer", "uvicorn+aiohttp", "--requests", "200", "--samples", "2"]
    result = CliRunner().invoke(benchmarks, ["memory", *arguments])
    assert result.exit_code == 0, result.output
    assert "grew by" in result.output


@pytest.mark.timeout(180)
def test_rounds_of_real_processes_are_counted_and_none_is_left_behind(tmp_path):
    # Engines that other tests share may run beside it.
    file, before = tmp_path / "rounds.json", set(process_tree(os.getpid()))
    result = CliRunner().invoke(benchmarks, ["rounds", "--rounds", "20", "--report", str(file)])
    assert result.exit_code == 0, result.output
    (report,) = json.loads(file.read_text())["voters"].values()
    assert report["rounds"] == 20
    assert len(report["decided_ms"]) + report["timed_out"] + report["unknown"] == 20
    assert report["decided_ms"]
    assert set(report["store_ms"]) == {"site-a", "site-b", "site-c"}
    assert set(process_tree(os.getpid())) <= before
