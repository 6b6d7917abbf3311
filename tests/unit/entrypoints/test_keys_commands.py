import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.domain.keys import KeyRing
from edgemind.entrypoints.keys_commands import keys

CONFIGURATION = """
version: 1
state: {{store: {store}, directory: {directory}}}
sites:
  - name: site-a
    models: [{{name: m, base_url: "http://127.0.0.1:9/v1", slots: 1, service_ms: 1, key: env:NOT_ON_THIS_MACHINE}}]
tenants:
  - {{name: demo, models: ["*"]}}
  - {{name: clinic, models: ["*"]}}
"""


class Shell:
    """Runs the commands against a configuration whose state lies beside it."""

    def __init__(self, folder: Path, store: str = "json", directory: str = "state") -> None:
        self.config = folder / "edgemind.yaml"
        self.config.write_text(CONFIGURATION.format(store=store, directory=directory))
        self.store = JsonFileStateStore(folder / directory)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(keys, [arguments[0], "--config", str(self.config), *arguments[1:]])

    def answer(self, *arguments: str) -> Any:
        result = self.run(*arguments, "-o", "json")
        assert (result.exit_code, result.stderr) == (0, "")
        return json.loads(result.stdout)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def refused(result: Result, exit_code: int, words: str) -> None:
    """One clear line on stderr, nothing on stdout, and the documented code."""
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert re.fullmatch(rf"Error: .*{words}.*\n", result.stderr)


def test_create_prints_the_key_alone_and_says_beside_it_that_it_is_shown_once(shell: Shell) -> None:
    result = shell.run("create", "--tenant", "demo")

    assert result.exit_code == 0
    assert re.fullmatch(r"em_[0-9a-f]{8}_[A-Za-z0-9_-]{32}\n", result.stdout)
    assert "shown only now" in result.stderr
    ring = KeyRing(shell.store.list_keys())
    assert ring.tenant_for(b"Bearer " + result.stdout.strip().encode()) == "demo"


def test_the_whole_life_of_a_key_as_json(shell: Shell) -> None:
    created = shell.answer("create", "--tenant", "clinic")
    assert created.keys() == {"id", "tenant", "created_at", "revoked_at", "state", "key"}
    assert created["key"].startswith(f"em_{created['id']}_")
    assert (created["tenant"], created["revoked_at"], created["state"]) == ("clinic", None, "live")

    secret = created.pop("key")
    assert shell.answer("list") == [created]

    revoked = shell.answer("revoke", secret)
    assert revoked == {**created, "state": "revoked", "revoked_at": revoked["revoked_at"]}
    assert shell.answer("revoke", created["id"]) == revoked
    assert shell.answer("list") == [revoked]


def test_the_list_never_shows_a_key(shell: Shell) -> None:
    assert "edgemind keys create" in shell.run("list").stdout
    first = shell.answer("create", "--tenant", "demo")
    second = shell.answer("create", "--tenant", "clinic")
    assert "within 2 seconds" in shell.run("revoke", first["id"]).stdout

    shown = shell.run("list").stdout
    lines = [line.split() for line in shown.splitlines()]
    assert lines[0] == ["ID", "TENANT", "CREATED", "STATE"]
    assert {(line[0], line[1], line[3]) for line in lines[1:]} == {
        (first["id"], "demo", "revoked"),
        (second["id"], "clinic", "live"),
    }
    assert first["key"] not in shown
    assert shell.store.list_keys()[0].sha256 not in shown


def test_a_third_live_key_is_refused_with_1(shell: Shell) -> None:
    ids = [shell.answer("create", "--tenant", "demo")["id"] for _ in range(2)]

    refused(shell.run("create", "--tenant", "demo"), 1, "already has 2 live keys.*Revoke one first")
    shell.answer("revoke", ids[0])
    shell.answer("create", "--tenant", "demo")


def test_an_unknown_key_is_refused_with_1(shell: Shell) -> None:
    refused(shell.run("revoke", "ffffffff"), 1, "no key ffffffff.*edgemind keys list")


def test_an_unknown_tenant_is_wrong_usage_and_the_known_ones_are_named(shell: Shell) -> None:
    refused(shell.run("create", "--tenant", "dmeo"), 2, "no tenant dmeo .*known: clinic, demo")


def test_a_store_in_memory_cannot_hold_keys_for_others(tmp_path: Path) -> None:
    refused(Shell(tmp_path, store="memory").run("create", "--tenant", "demo"), 2, "Set state.store to json")


def test_a_configuration_that_is_not_there_is_wrong_usage(shell: Shell) -> None:
    shell.config.unlink()

    assert shell.run("list").exit_code == 2
    assert shell.run("create").exit_code == 2


def test_a_place_where_nobody_can_write_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    shell = Shell(tmp_path, directory="file/state")

    refused(shell.run("create", "--tenant", "demo"), 1, "file/state.* set state.directory to a directory")


def test_damaged_keys_are_one_clear_line_and_stay_as_they_are(shell: Shell, tmp_path: Path) -> None:
    shell.answer("create", "--tenant", "demo")
    path = tmp_path / "state" / "keys.json"
    path.write_bytes(path.read_bytes()[:40])

    refused(shell.run("create", "--tenant", "demo"), 1, r"keys\.json cannot be used: .*It was left as it is")
    refused(shell.run("list"), 1, "backup")
    assert path.stat().st_size == 40
