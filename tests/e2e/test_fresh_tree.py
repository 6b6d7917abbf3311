"""A newcomer's first minutes: a tree without an environment, `./run`, and what a bad day leaves behind."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.checks import project_files

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's files, at a path with a space in it."""
    tree = tmp_path_factory.mktemp("fresh") / "edge mind"
    for path in project_files(ROOT):
        if path.is_file():
            target = tree / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return tree


def run(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    everything = {**os.environ, **environment}
    return subprocess.run([str(tree / "run"), *arguments], env=everything, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def installed(tree: Path) -> Path:
    first = run(tree, "edgemind", "--version")
    if "cannot reach the package index" in first.stderr:
        pytest.skip("no network: the package index cannot be reached")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "installing core" in first.stdout
    return tree


def version(tree: Path) -> str:
    return run(tree, "edgemind", "--version").stdout


@contextmanager
def moved(path: Path, to: Path) -> Iterator[Path]:
    shutil.copytree(path, to, symlinks=True)
    try:
        yield to
    finally:
        shutil.rmtree(to)


def test_the_second_start_says_nothing_but_the_answer(installed: Path) -> None:
    second = run(installed, "edgemind", "--version")
    assert second.returncode == 0
    assert len(second.stdout.splitlines()) == 1
    assert "installing" not in second.stdout


def test_the_command_works_by_itself_from_anywhere(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / ".venv/bin/edgemind"), "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == version(
        installed
    )


def test_a_copied_tree_makes_its_own_environment(installed: Path, tmp_path: Path) -> None:
    with moved(installed, tmp_path / "copy") as copy:
        first = run(copy, "edgemind", "--version")
        assert "making it anew" in first.stdout
        assert first.returncode == 0
        assert json.loads((copy / ".venv" / "edgemind.json").read_text())["path"] == str(copy / ".venv")


def test_a_half_made_environment_is_made_anew(installed: Path) -> None:
    (installed / ".venv" / "edgemind.json").unlink()
    (installed / ".venv" / "bin" / "pip").unlink()
    first = run(installed, "edgemind", "--version")
    assert "making it anew" in first.stdout
    assert first.returncode == 0


def test_without_a_network_one_line_says_so(tree: Path, tmp_path: Path) -> None:
    with moved(tree, tmp_path / "copy") as copy:
        shutil.rmtree(copy / ".venv", ignore_errors=True)
        nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": os.devnull}
        result = run(copy, "edgemind", "--version", **nowhere, PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
        assert result.returncode == 1
        assert result.stderr.startswith("run: cannot reach the package index")
        assert len(result.stderr.splitlines()) == 1


def test_an_interrupted_installation_goes_on_and_leaves_no_pip_behind(tree: Path, tmp_path: Path) -> None:
    with moved(tree, tmp_path / "copy") as copy:
        shutil.rmtree(copy / ".venv", ignore_errors=True)
        with subprocess.Popen(
            [str(copy / "run"), "edgemind", "--version"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("installing core"):
                pass
            process.send_signal(signal.SIGTERM)
            # The pipe ends only when pip, which also holds it, is gone.
            process.stdout.read()
        assert process.returncode == 128 + signal.SIGTERM
        assert version(copy).splitlines()[-1] == version(copy).strip()
