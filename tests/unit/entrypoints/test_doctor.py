"""`edgemind check` on fleets in all states: every finding has its mend, and none takes the others with it."""

import errno
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.state_store import durable_files
from edgemind.domain.audit.status import AuditStatus
from edgemind.domain.checkup import Observation, Standing
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.doctor import on_this_machine
from edgemind.entrypoints.doctor.probing import Probe, observe
from edgemind.errors import StoreUnavailable
from tests.support.controllers import Metro, metro, site
from tests.support.serving import free_ports, served

CONFIG = """\
version: 1
metro: test
state: {{directory: state}}
fleet: {{secret: "file:secret", tokens: {{viewer: "file:viewer"}}}}
auth: off
sites:
  - {{name: site-a, zones: [de], controller: "{controller}", gateway: "http://127.0.0.1:{dead}", models: [{model}]}}
  - {{name: site-b, zones: [de], controller: "http://127.0.0.1:{gone}", models: [{model}]}}
"""


async def model_server(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def group() -> Metro:
    return Metro(metro(site("site-a"), site("site-b")))


@pytest.fixture
def config(group: Metro, tmp_path: Path) -> Iterator[Path]:
    rules = AccessRules({Role.VIEWER: "look"}, "between-sites")
    dead, gone = free_ports(2)
    (tmp_path / "state").mkdir()
    for name, secret in (("secret", "between-sites"), ("viewer", "look")):
        (tmp_path / name).write_text(secret, encoding="utf-8")
    with (
        served(model_server) as server,
        served(controller_app(lambda: group.controllers["site-a"], lambda: rules)) as controller,
    ):
        model = f'{{name: m, base_url: "{server}", slots: 1, service_ms: 10}}'
        path = tmp_path / "edgemind.yaml"
        path.write_text(CONFIG.format(controller=controller, model=model, dead=dead, gone=gone), encoding="utf-8")
        yield path


def check(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", "--config", str(config), *arguments], env={"EDGEMIND_CONFIG": None})


def findings(config: Path, code: int = 1) -> dict[str, dict[str, Any]]:
    answer = check(config, "-o", "json")
    assert answer.exit_code == code, answer.output
    return {one["subject"]: one for one in json.loads(answer.stdout)["findings"]}


def test_half_a_fleet_that_is_down_hides_nothing_of_the_other_half(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_this_machine, "LOW_BYTES", 1)
    found = findings(config)
    standings = {subject: one["standing"] for subject, one in found.items()}
    assert {subject for subject, standing in standings.items() if standing == "ok"} == {
        "configuration", "state store", "model files", "disk of the state", "disk of the journal",
        "controller of site-a", "m at site-a", "m at site-b", "journal of site-a",
    }  # fmt: skip
    assert standings["controller of site-b"] == standings["gateway of site-a"] == standings["swarm"] == "bad"
    assert found["swarm"]["mend"] == "edgemind swarm provision"
    assert found["controller of site-b"]["mend"].startswith("start it: edgemind controller --site site-b")
    assert all(one["mend"] for one in found.values() if one["standing"] != "ok")


def test_the_clock_of_a_controller_is_compared(group: Metro, config: Path) -> None:
    # The clock of the tests stands in the year 2023.
    clock = findings(config)["clock of site-a"]
    assert (clock["standing"], clock["mend"]) == ("bad", "let both machines' clocks be set by NTP")
    assert "behind this machine's" in clock["found"]


def test_a_journal_in_trouble_is_told_with_its_mend(
    group: Metro, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = AuditStatus(False, trouble="the journal does not fit what was anchored of it")
    group.controllers["site-a"].view.audit = lambda: status
    told = findings(config)["journal of site-a"]
    assert (told["standing"], told["mend"]) == ("bad", "edgemind audit verify --site site-a")
    group.controllers["site-a"].view.audit = lambda: replace(status, ok=True, dropped=3)
    assert findings(config)["journal of site-a"]["standing"] == "warning"
    group.controllers["site-a"].view.audit = lambda: AuditStatus(True, records=9)
    told = findings(config)["journal of site-a"]
    assert (told["standing"], told["found"]) == ("warning", "9 records, none of them anchored")


def test_one_site_can_be_asked_alone(config: Path) -> None:
    answer = json.loads(check(config, "--site", "site-b", "-o", "json").stdout)
    assert not [one for one in answer["findings"] if "site-a" in one["subject"]]
    assert check(config, "--site", "site-z").exit_code == 2


def test_text_ends_with_what_to_do(config: Path) -> None:
    text = check(config).stdout
    assert "things are wrong" in text
    assert "  swarm: edgemind swarm provision\n" in text


def test_a_refused_configuration_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "edgemind.yaml"
    path.write_text("version: 1\nsites: nothing\n", encoding="utf-8")
    found = findings(path)
    assert list(found) == ["configuration"]
    assert "sites" in found["configuration"]["found"]


def test_a_secret_that_is_missing_is_a_finding_beside_the_others(config: Path) -> None:
    (config.parent / "secret").unlink()
    found = findings(config)
    assert found["configuration"]["standing"] == "bad"
    assert found["controller of site-a"]["standing"] == "ok"


def test_a_state_folder_that_is_not_there_is_a_finding_and_is_not_made(config: Path) -> None:
    state = config.parent / "state"
    state.rmdir()
    found = findings(config)["state store"]
    assert (found["standing"], found["found"]) == ("bad", f"{state} is not there")
    assert "state.directory" in found["mend"]
    assert not state.exists()


def test_a_write_is_a_real_one_and_leaves_nothing_behind(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "write" in findings(config)["state store"]["found"]
    assert list((config.parent / "state").iterdir()) == []

    def full(_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", full)
    found = findings(config)["state store"]
    assert found["standing"] == "bad"
    assert "quota" in found["found"]
    assert list((config.parent / "state").iterdir()) == []


def test_a_writer_that_holds_the_lock_for_good_is_found(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_this_machine, "LOCK_S", 0.0)
    with durable_files.locked(config.parent / "state", 1.0):
        found = findings(config)["state store"]
    assert found["standing"] == "bad"
    assert "stopped edgemind process" in found["found"]


def test_a_full_disk_is_seen_before_it_hurts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, standing in ((1, Standing.OK), (1 << 60, Standing.WARNING)):
        monkeypatch.setattr(on_this_machine, "LOW_BYTES", limit)
        assert on_this_machine._disk("disk", tmp_path).standing is standing
    monkeypatch.setattr(on_this_machine, "EMPTY_BYTES", 1 << 60)
    assert on_this_machine._disk("disk", tmp_path).standing is Standing.BAD


def test_a_look_that_hangs_or_breaks_is_a_finding_and_ends_nothing() -> None:
    for_ever = threading.Event()

    def refuse() -> list[Observation]:
        raise StoreUnavailable("the store is away")

    def broken() -> list[Observation]:
        raise KeyError("x")

    def hang() -> list[Observation]:
        for_ever.wait()
        return []

    good = Observation("good", Standing.OK, "fine")
    looks = [
        Probe("hangs", hang, "look"),
        Probe("away", refuse),
        Probe("broken", broken),
        Probe("good", lambda: [good]),
    ]
    told = observe(looks, 0.3)
    for_ever.set()
    assert [one.standing for one in told] == [Standing.BAD, Standing.BAD, Standing.BAD, Standing.OK]
    assert [one.found for one in told[:2]] == ["no answer within 0.3 s", "the store is away"]
    assert "KeyError" in told[2].found
