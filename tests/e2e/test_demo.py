"""`edgemind demo` as its users see it: a fleet that serves, scenarios that happen, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.inference.llama_wheels import llama_available
from tests.support.demo_runs import SERVING, demo_run, edgemind, environment, processes_in, until_none_is_left
from tests.support.engines.aws import LocalAws
from tests.support.free_ports import free_base_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="platform: processes are looked up in /proc"),
]

SIMULATED = ("--backend", "simulated", "--report", "r.json")
SITES = ("site-a", "site-b", "site-c")


def adds_up(report: dict[str, Any]) -> None:
    requests = report["requests"]
    assert requests["sent"] == requests["ok"] + requests["shed"] + requests["failed"]
    assert requests["sent"] == sum(report["sent_by_site"].values())
    for split in ("by_site", "by_reason", "by_model"):
        assert sum(report[split].values()) == requests["ok"]


def test_a_run_ends_by_itself_with_its_report(tmp_path: Path) -> None:
    with demo_run(tmp_path, *SIMULATED, "--duration", "8", "--seed", "7") as run:
        assert run.ended() == 0, run.printed() + run.logs()
        assert processes_in(tmp_path) == []
    report = run.report()
    adds_up(report)
    assert report["requests"]["ok"] > 80
    assert report["requests"]["failed"] == 0, report["failures"]
    assert set(report["sent_by_site"]) == set(SITES)
    assert all(report["sent_by_site"].values())
    assert all(report["simulated"].values())
    assert (report["backend"], report["policy"], report["sites"], report["seed"]) == ("simulated", "hybrid", 3, 7)
    assert report["duration_s"] == pytest.approx(8.0, abs=2.0)
    assert report["added_latency_ms"]["p50"] <= report["added_latency_ms"]["p99"]
    assert 0.0 < report["slo_attainment"] <= 1.0
    assert "(local)" in run.printed()


def test_while_it_runs_it_is_a_fleet_like_any_other(tmp_path: Path) -> None:
    with demo_run(tmp_path, "--backend", "simulated", "--sites", "2") as run:
        printed = run.until(SERVING)
        assert "first routed request after" in printed
        _the_printed_curl_line_works(printed)
        _the_command_line_finds_it(tmp_path)
        run.process.send_signal(signal.SIGTERM)
        assert run.ended(30) == 0, run.printed()
        assert processes_in(tmp_path) == []
    assert "stopping ..." in run.printed()
    assert not (tmp_path / ".edgemind" / "fleet.json").exists()


def _the_printed_curl_line_works(printed: str) -> None:
    """As pasted into a shell; without curl the same request is sent by hand."""
    command = re.search(r"^  curl .*?'$", printed, re.MULTILINE | re.DOTALL)
    assert command is not None, printed
    url, key = re.search(r"http://\S+", command[0]), re.search(r"Bearer (em_\S+)\"", command[0])
    body = re.search(r"-d '(.*)'", command[0])
    assert url is not None
    assert key is not None
    assert body is not None
    headers = {"authorization": f"Bearer {key[1]}", "content-type": "application/json"}
    request = urllib.request.Request(url[0], body[1].encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
        assert response.headers["x-request-id"].startswith("dec-site-a-0-")
    assert answer["choices"][0]["message"]["content"].strip()
    if subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode == 0:
        pasted = subprocess.run(["sh", "-c", command[0]], capture_output=True, text=True, check=True).stdout
        assert json.loads(pasted)["choices"][0]["message"]["content"].strip()


def _the_command_line_finds_it(folder: Path) -> None:
    command = edgemind("sites", "list", "-o", "json")
    listed = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True).stdout
    assert {site["name"]: site["state"] for site in json.loads(listed)["sites"]} == {
        "site-a": "alive",
        "site-b": "alive",
    }


def test_a_site_dies_and_its_devices_go_on(tmp_path: Path) -> None:
    with demo_run(tmp_path, *SIMULATED, "--scenario", "site-failure", "--duration", "14") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    report = run.report()
    adds_up(report)
    failover = report["failover"]
    assert failover["site"] == "site-b"
    assert failover["surviving"] == ["site-a", "site-c"]
    assert failover["detected_ms"] < 2000
    assert failover["failed_after_detection"] == 0, report["failures"]
    # Its devices send half of their requests after its death, and they are answered.
    assert report["sent_by_site"]["site-b"] > report["requests"]["sent"] / 6
    assert report["reattached"] > 0
    assert report["events"][0]["text"] == "killed site-b (3 processes)"


def test_a_slow_site_and_a_crowd_happen_when_the_scenario_says(tmp_path: Path) -> None:
    with demo_run(tmp_path, *SIMULATED, "--scenario", "brownout", "--duration", "6") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    slowed, normal = (event for event in run.report()["events"] if not event["text"].startswith("round "))
    assert "take 3 times as long" in slowed["text"]
    assert normal["text"] == "site-b is as fast as before"
    assert run.report()["requests"]["failed"] == 0
    with demo_run(tmp_path, *SIMULATED, "--scenario", "flash-crowd", "--duration", "6") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    sent = run.report()["sent_by_site"]
    assert sent["site-a"] > sent["site-b"]
    assert run.report()["requests"]["failed"] == 0


def decided(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The rounds of a flash crowd, which must have come, helped, and not gone back and forth."""
    changes = [one for one in report["rounds"] if one["outcome"] != "KEEP"]
    assert changes, report["events"]
    assert changes[0]["outcome"] in {"SHIFT", "SCALE_OUT"}
    assert all(one["decided_ms"] is not None and one["ballots"] >= 2 and one["coordinator"] in SITES for one in changes)
    # Nothing is decided twice: each change of one site's replicas or share of load is another number than the last one.
    asked: dict[tuple[str, str], list[int]] = {}
    for one in changes:
        asked.setdefault((one["outcome"], one["target"]), []).append(one["amount"])
    assert all(first != then for amounts in asked.values() for first, then in pairwise(amounts)), asked
    assert report["attainment_by_5s"][-1]["attainment"] >= 0.95, "devices are served in time again"
    return changes


def test_a_flash_crowd_is_decided_about_by_agents_and_served(tmp_path: Path) -> None:
    with demo_run(tmp_path, *SIMULATED, "--scenario", "flash-crowd", "--duration", "30") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    changes = decided(run.report())
    assert "votes in rounds come from Strands agents" in run.printed()
    assert any(effect["state"] == "applied" for one in changes for effect in one["effects"])
    voters = [voter for one in run.report()["rounds"] for voter in one["voters"]]
    assert {voter["voter"] for voter in voters} == {"strands"}
    calls = {call["tool"] for voter in voters for call in voter["tool_calls"]}
    assert calls == {"metrics_monitor.get_fleet_metrics", "memory_sync.get_swarm_state"}


@pytest.mark.engine
def test_the_same_with_a_table(tmp_path: Path, dynamodb_local: LocalAws) -> None:
    """Credentials come from the fixture, as the endpoint could from AWS_ENDPOINT_URL_DYNAMODB."""
    assert dynamodb_local.endpoint_url
    place = ("--state-store", "dynamodb", "--endpoint-url", dynamodb_local.endpoint_url)
    with demo_run(tmp_path, *SIMULATED, *place, "--scenario", "flash-crowd", "--duration", "30") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    decided(run.report())
    assert not (tmp_path / ".edgemind" / "demo" / "state" / "swarm.json").exists()


def test_patient_data_never_leaves_the_country(tmp_path: Path) -> None:
    with demo_run(tmp_path, *SIMULATED, "--scenario", "healthcare", "--duration", "5") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    report = run.report()
    assert report["sent_by_site"]["site-c"] > 0
    assert report["by_site"]["site-c"] == 0
    assert set(report["by_site"]) == set(SITES)
    assert report["requests"]["failed"] == 0


def test_a_killed_demo_leaves_nothing_and_the_next_one_starts(tmp_path: Path) -> None:
    with demo_run(tmp_path, "--backend", "simulated") as run:
        run.until("processes ...")
        run.process.kill()
        until_none_is_left(tmp_path)
    with demo_run(tmp_path, "--backend", "simulated", base_port=run.base_port) as run:
        run.until(SERVING)
        assert len(processes_in(tmp_path)) == 11
        run.process.kill()
        until_none_is_left(tmp_path)


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with demo_run(tmp_path, "--backend", "simulated", "--sites", "1") as run:
        run.until("processes ...")
        with demo_run_beside(tmp_path) as second:
            assert second.wait(60) == 1
            assert second.stdout is not None
            assert "a demo is already running in this folder" in second.stdout.read()
        # The first one is none the worse for it.
        run.until(SERVING)


def demo_run_beside(folder: Path) -> "subprocess.Popen[str]":
    command = edgemind("demo", "--no-dashboard", "--backend", "simulated", "--base-port", str(free_base_port()))
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    base_port = free_base_port()
    with socket.create_server(("127.0.0.1", base_port + 200)), demo_run(tmp_path, base_port=base_port) as run:
        assert run.ended() == 1
        assert processes_in(tmp_path) == []
    errors = [line for line in run.printed().splitlines() if line.startswith("Error:")]
    assert len(errors) == 1
    assert f"port {base_port + 200} (admin listener of site-a) is taken" in errors[0]
    assert "--base-port" in errors[0]


def test_a_process_that_cannot_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Whatever ends it: the demo does not wait for it in vain, and stops the others."""
    with demo_run(tmp_path, "--backend", "simulated", "--sites", "2") as run:
        run.until("processes ...")
        victim = next(line for line in iter_until(tmp_path, "gateway") if "site-b" in line)
        os.kill(int(victim.split()[0]), signal.SIGKILL)
        assert run.ended(60) == 1
        assert processes_in(tmp_path) == []
    assert "Error: site-b-gateway ended by itself (signal 9): " in run.printed()


def iter_until(folder: Path, command: str) -> list[str]:
    """Processes of both sites with that command, once they are there."""
    while len(found := [line for line in processes_in(folder) if f" {command} " in line]) < 2:
        time.sleep(0.01)
    return found


@pytest.mark.engine
@pytest.mark.skipif(not llama_available()[0], reason=llama_available()[1])
def test_the_real_model_answers(tmp_path: Path) -> None:
    with demo_run(tmp_path, "--backend", "llama", "--duration", "20", "--report", "r.json") as run:
        assert run.ended() == 0, run.printed() + run.logs()
    report = run.report()
    adds_up(report)
    assert report["backend"] == "llama"
    assert report["simulated"]["smollm2-135m"] is False
    assert report["by_model"]["smollm2-135m"] >= 20
    assert report["requests"]["ok"] > 200
    assert report["requests"]["failed"] == 0, report["failures"]
    assert report["requests"]["shed"] <= 0.05 * report["requests"]["sent"]
    assert all(report["sent_by_site"].values())
