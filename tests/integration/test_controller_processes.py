"""Real controller processes that meet, lose and find one another. Asserted by state: a test never measures time."""

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.serving import served

EVERYBODY = {"site-a", "site-b", "site-c"}


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    with served(model_server) as url, ControllerFleet(tmp_path, url).running() as running:
        yield running


def test_a_table_appears_and_follows_controllers_that_die_and_return(fleet: ControllerFleet) -> None:
    fleet.arrivals_per_s["site-a"] = 900.0
    for name in fleet.names:
        until(partial(fleet.sees_all, name), f"{name} sees everybody")
    until(lambda: fleet.row("site-a") == EVERYBODY, "an overload is spread over everybody")
    until(lambda: fleet.answers["site-a"]["table"], "the table reaches the gateway")
    until(lambda: fleet.row("site-c") == {"site-c"}, "an idle site keeps its own")

    fleet.signal("site-b", signal.SIGKILL)
    until(lambda: fleet.states("site-a")["site-b"] == "suspected", "a killed controller is suspected")
    until(lambda: fleet.row("site-a") == {"site-a", "site-c"}, "and leaves the table")
    until(lambda: "site-b" in suspected(fleet, "site-a"), "and the gateway is told")

    fleet.start("site-b")
    until(lambda: fleet.states("site-a")["site-b"] == "alive", "it is alive when it answers again")
    until(lambda: fleet.row("site-a") == EVERYBODY, "and in the table")
    until(lambda: fleet.sees_all("site-b"), "and sees everybody itself")

    fleet.signal("site-c", signal.SIGSTOP)
    until(lambda: fleet.states("site-a")["site-c"] == "suspected", "one that hangs is suspected, too")
    fleet.signal("site-c", signal.SIGCONT)
    until(lambda: fleet.states("site-a")["site-c"] == "alive", "until it goes on")


def suspected(fleet: ControllerFleet, asked: str) -> set[str]:
    return {beacon["site"] for beacon in fleet.answers[asked]["beacons"] if beacon["suspected"]}


def test_a_stopped_controller_leaves_cleanly(fleet: ControllerFleet) -> None:
    registered = fleet.folder / "state" / "sites.json"
    until(lambda: registered.exists() and set(json.loads(registered.read_text())["records"]) == EVERYBODY, "registered")

    for name in fleet.names:
        fleet.signal(name, signal.SIGTERM)
    for name in fleet.names:
        assert fleet.processes[name].wait(timeout=30) == 0, fleet.log(name)
        assert "Traceback" not in fleet.log(name)
    assert json.loads(registered.read_text())["records"] == {}


@pytest.mark.slow
def test_trouble_with_the_store_stops_nothing(fleet: ControllerFleet) -> None:
    registered = fleet.folder / "state" / "sites.json"
    until(registered.exists, "registered")

    def store() -> dict[str, Any]:
        status, site = fleet.get("site-a", "/sites/site-a")
        return dict(site["store"]) if status == 200 else {}

    def trouble() -> bool:
        # Again each time: a heartbeat that had read the file before may put a good one in its place.
        registered.write_text("{ torn", encoding="utf-8")
        return store().get("ok") is False

    until(trouble, "the trouble is shown")
    until(lambda: store().get("failures", 0) > 0, "and counted")
    until(lambda: fleet.sees_all("site-b"), "and nothing else stops")
    registered.unlink()
    until(lambda: store().get("ok"), "and it is over when it is over")


@pytest.mark.slow
def test_a_changed_configuration_is_taken_up_and_a_wrong_one_is_not(fleet: ControllerFleet) -> None:
    until(lambda: fleet.row("site-a"), "a table")
    (fleet.folder / "viewer").write_text("look-again", encoding="utf-8")
    until(lambda: fleet.get("site-a", "/fleet", "look-again")[0] == 200, "the new token is in force")
    assert fleet.get("site-a", "/fleet", "look")[0] == 401

    config = fleet.folder / "edgemind.yaml"
    good = config.read_text(encoding="utf-8")
    config.write_text("version: 1\nsites: []\n", encoding="utf-8")
    fleet.signal("site-a", signal.SIGHUP)
    until(lambda: "was refused, the old one stays in force" in fleet.log("site-a"), "the refusal is logged")
    assert fleet.get("site-a", "/fleet", "look-again")[0] == 200
    config.write_text(good, encoding="utf-8")


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    fleet = ControllerFleet(tmp_path, "http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", fleet.ports["site-a"])):
        ended = subprocess.run(fleet.command("site-a"), capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "is taken by another process" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--site", "site-z"], "no site is called 'site-z'"),
        (["--site", "site-a", "--listen", "nowhere"], "HOST:PORT"),
        ([], "choose one with --site"),
    ],
)
def test_wrong_usage_is_one_clear_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    command = ControllerFleet(tmp_path, "http://127.0.0.1:9").command("site-a")[:-2]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr
