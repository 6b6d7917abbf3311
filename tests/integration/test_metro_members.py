"""A site joins a running metro with a token, is seen by controllers and gateways, and leaves again: real processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from edgemind.entrypoints.cli import cli
from tests.support.controller_processes import ROOT, ControllerFleet, model_server, until
from tests.support.serving import free_ports, served


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[ControllerFleet]:
    with served(model_server) as url:
        made = ControllerFleet(tmp_path, url, sites=2)
        (tmp_path / "admin").write_text("rule", encoding="utf-8")
        config = tmp_path / "edgemind.yaml"
        text = config.read_text(encoding="utf-8").replace("'file:operator'", "'file:operator', admin: 'file:admin'")
        config.write_text(text, encoding="utf-8")
        with made.running():
            yield made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def invited(fleet: ControllerFleet, name: str) -> str:
    answer = run("sites", "invite", name, "--fleet", fleet.url("site-a"), "--token", "rule", "-o", "json")
    assert answer.exit_code == 0, answer.output
    token: str = json.loads(answer.stdout)["token"]
    return token


def sees(fleet: ControllerFleet, asked: str, state: str | None) -> bool:
    return fleet.states(asked).get("site-n") == state


def joined(fleet: ControllerFleet) -> set[str]:
    told = fleet.answers.get("site-b", {}).get("joined")
    return {site["name"] for site in told["sites"]} if told else set()


@pytest.mark.slow
def test_a_site_joins_is_seen_and_is_removed(fleet: ControllerFleet, tmp_path: Path) -> None:
    gateway, controller = free_ports(2)
    host = tmp_path / "newcomer"
    host.mkdir()
    site = {
        "name": "site-n",
        "gateway": f"http://127.0.0.1:{gateway}",
        "controller": f"http://127.0.0.1:{controller}",
        "models": [{"name": "other", "base_url": "http://127.0.0.1:1/v1", "slots": 2, "service_ms": 20}],
    }
    (host / "site.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")
    token = invited(fleet, "site-n")
    join = ("sites", "join", "--fleet", fleet.url("site-b"), "--token", token, "--site-file", str(host / "site.yaml"))
    answer = run(*join, "--write", str(host / "edgemind.yaml"))
    assert answer.exit_code == 0, answer.output
    assert "site-n is a member of test (roster version 1: site-a, site-b, site-n)" in answer.stdout
    assert "between-sites" not in (host / "edgemind.yaml").read_text(encoding="utf-8")
    again = run(*join, "-o", "json")
    assert json.loads(again.stdout)["version"] == 1, "the same again changes nothing"

    (host / "fleet.secret").write_text("between-sites", encoding="utf-8")
    command = [sys.executable, "-m", "edgemind", "controller", "--config", str(host / "edgemind.yaml")]
    with (host / "log").open("wb") as log:
        newcomer = subprocess.Popen([*command, "--site", "site-n"], cwd=ROOT, stdout=log, stderr=log)
    try:
        for name in fleet.names:
            until(partial(sees, fleet, name, "alive"), f"{name} hears the newcomer")
        until(lambda: joined(fleet) == {"site-n"}, "gateways are told of it")

        removed = run("sites", "remove", "site-n", "--fleet", fleet.url("site-a"), "--token", "rule")
        assert removed.exit_code == 0, removed.output
        for name in fleet.names:
            until(partial(sees, fleet, name, None), f"{name} has let it go")
        until(lambda: "site-n is no member" in (host / "log").read_text(encoding="utf-8"), "and it knows that itself")
        assert newcomer.poll() is None, "it goes on, without a part in the swarm"
        refused = run(*join)
        assert refused.exit_code == 1
        assert "this token is not one for site-n" in refused.stderr
    finally:
        newcomer.kill()
        newcomer.wait()
