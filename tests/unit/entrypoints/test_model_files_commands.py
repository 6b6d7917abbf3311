"""Model files on the command line: published, listed, fetched, rolled back; or refused in one line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edgemind.entrypoints.model_files_commands import models

CONFIGURATION = """
version: 1
auth: off
model_store: {directory: published}
sites:
  - name: site-a
    models: [{name: m, base_url: "http://127.0.0.1:9/v1", slots: 1, service_ms: 1, key: env:NOT_ON_THIS_MACHINE}]
"""


class Shell:
    """Runs the commands against a configuration whose store lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "edgemind.yaml"
        self.config.write_text(CONFIGURATION)
        (folder / "published").mkdir()
        self.weights = folder / "weights.gguf"
        self.weights.write_bytes(b"weights" * 1000)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(models, [arguments[0], "--config", str(self.config), *arguments[1:]])

    def answer(self, *arguments: str) -> Any:
        result = self.run(*arguments, "-o", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def publish(self, version: str) -> Any:
        self.weights.write_bytes(version.encode() * 1000)
        return self.answer("publish", "m", version, str(self.weights))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_a_published_model_is_listed_and_comes_back_as_it_was(shell: Shell) -> None:
    told = shell.publish("1.0")
    assert told["files"] == [{"path": "weights.gguf", "size_bytes": 3000}]
    assert shell.answer("versions") == {"models": [{"model": "m", "version": "1.0", "previous": []}]}
    place = Path(shell.answer("fetch", "m", str(shell.folder / "site"))["place"])
    assert (place / "weights.gguf").read_bytes() == shell.weights.read_bytes()


def test_a_rollback_goes_to_the_version_before_or_to_the_one_named(shell: Shell) -> None:
    for version in ("1.0", "1.1", "1.2"):
        shell.publish(version)
    assert shell.answer("rollback", "m")["version"] == "1.1"
    assert shell.answer("rollback", "m", "1.0")["version"] == "1.0"
    assert shell.answer("versions")["models"][0]["version"] == "1.0"
    assert shell.answer("fetch", "m", str(shell.folder / "site"))["place"].endswith("1.0")


def test_texts_are_for_people(shell: Shell) -> None:
    assert "No model is published" in shell.run("versions").stdout
    published = shell.run("publish", "m", "1.0", str(shell.weights))
    assert published.stdout == "m 1.0 is published: 1 file, 0.0 MB.\n"
    assert "takes a while" in published.stderr
    assert re.search(r"MODEL\s+SERVED\s+BEFORE\nm\s+1\.0\s+-\n", shell.run("versions").stdout)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("fetch", "m", "site"), 1, "no model m: publish it first"),
        (("rollback", "m"), 1, "edgemind models versions"),
        (("publish", "m", "no such name!", "weights.gguf"), 1, "no name for a version"),
        (("publish", "m", "1.0", "missing.gguf"), 2, "does not exist"),
    ],
)
def test_what_cannot_be_done_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], exit_code: int, says: str
) -> None:
    monkeypatch.chdir(shell.folder)
    result = shell.run(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert says in result.stderr


def test_there_is_nothing_before_the_first_version(shell: Shell) -> None:
    shell.publish("1.0")
    result = shell.run("rollback", "m")
    assert (result.exit_code, "nothing to roll back to" in result.stderr) == (1, True)


def test_a_store_that_is_not_there_is_named(shell: Shell) -> None:
    (shell.folder / "published").rmdir()
    result = shell.run("versions")
    assert (result.exit_code, "make it, or mount the disk" in result.stderr) == (1, True)
