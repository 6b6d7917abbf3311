"""`-o json` everywhere: every command that prints an answer can print it for a program."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgemind.entrypoints.cli import COMMANDS, cli, load_command
from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

SERVE = {"demo", "gateway", "controller", "model-server", "devices", "mcp", "bedrock-proxy", "dashboard"}
"""They run until they are stopped; what they report goes into a file (`--report`) or is asked over HTTP."""

FILES = {f"kpi {name}" for name in ("cloudwatch", "docs", "grafana", "prometheus", "scrape")}
"""What they print is a file for somebody else's program, in its own form."""


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for child in command.list_commands(context):
        found = command.get_command(context, child)
        assert found is not None
        yield from leaves(f"{name} {child}", found)


def test_every_command_that_answers_can_answer_in_json() -> None:
    lacking = [
        leaf
        for name, lazy in COMMANDS.items()
        if name not in SERVE
        for leaf, command in leaves(name, load_command(name, lazy))
        if leaf not in FILES and not any("--output" in option.opts for option in command.params)
    ]
    assert lacking == []


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_example(tmp_path, EXAMPLE)


def test_a_validation_and_a_comparison_are_documents_too(config: Path) -> None:
    runner = CliRunner(env=SECRETS)
    good = runner.invoke(cli, ["config", "validate", str(config), "-o", "json"])
    assert json.loads(good.stdout)["summary"].startswith("2 sites, 3 models")
    other = config.with_name("other.yaml")
    other.write_text(EXAMPLE.replace("metro: demo", "metro: another"), encoding="utf-8")
    differ = runner.invoke(cli, ["config", "diff", str(config), str(other), "-o", "json"])
    assert (differ.exit_code, json.loads(differ.stdout)) == (1, {"changes": ["~ metro: demo -> another"]})
    config.write_text("version: 1\nsites: 3\n", encoding="utf-8")
    bad = runner.invoke(cli, ["config", "validate", str(config), "-o", "json"])
    assert bad.exit_code == 2
    assert not json.loads(bad.stdout)["ok"]


def test_certificates_are_documents_too(config: Path, tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    runner = CliRunner(env=SECRETS)
    where = ["--config", str(config), "--folder", str(tmp_path / "certs"), "-o", "json"]
    made = json.loads(runner.invoke(cli, ["certs", "create", *where]).stdout)
    assert made["authority"]
    assert [one["site"] for one in made["made"]] == ["site-a"]
    assert json.loads(runner.invoke(cli, ["certs", "create", *where]).stdout) == {"authority": False, "made": []}
    assert json.loads(runner.invoke(cli, ["certs", "renew", "site-a", *where]).stdout)["made"][0]["site"] == "site-a"
