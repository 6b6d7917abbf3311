"""`edgemind swarm provision`: once, and never again by itself."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.records import Fence
from edgemind.entrypoints.cli import cli

CONFIG = """\
version: 1
metro: test
state: {{store: {store}, directory: state}}
auth: off
sites:
  - name: site-a
    models: [{{name: detector, base_url: 'http://127.0.0.1:9', slots: 1, service_ms: 10}}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "edgemind.yaml"
    file.write_text(CONFIG.format(store="json"), encoding="utf-8")
    return file


def provision(config: Path, *more: str) -> Result:
    return CliRunner().invoke(cli, ["swarm", "provision", "--config", str(config), *more])


def test_it_puts_the_first_round_once(config: Path) -> None:
    first, again = provision(config), provision(config, "--epoch", "7")
    assert (first.exit_code, first.output) == (0, "metro test is provisioned: its rounds begin after 1.0\n")
    assert (again.exit_code, "stands at round 1.0, which stays" in again.output) == (0, True)
    assert JsonFileSwarmStore(config.parent / "state", "test").read_current().fence == Fence(1, 0)


def test_an_epoch_is_for_a_store_that_was_lost(config: Path) -> None:
    told = json.loads(provision(config, "--epoch", "2", "-o", "json").output)
    assert told == {"metro": "test", "known": "2.0", "new": True}
    assert provision(config, "--epoch", "0").exit_code == 2


def test_a_store_that_nobody_can_share_is_refused(config: Path) -> None:
    config.write_text(CONFIG.format(store="memory"), encoding="utf-8")
    refused = provision(config)
    assert refused.exit_code == 2
    assert "use json" in refused.output
