"""The shell part of `./run`: which Python it takes, in a tree of its own with a PATH of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`run` with a scripts/run.py that only tells who runs it, and a bin/ with what a shell needs but no Python."""
    tree = tmp_path / "a tree"
    (tree / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "run", tree / "run")
    (tree / "scripts" / "run.py").write_text("import sys\nprint(sys.executable, *sys.argv[1:])\nsys.exit(7)\n")
    (tree / "bin").mkdir()
    for tool in ("dirname", "cat", "sh"):
        (tree / "bin" / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool}"))
    return tree


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(tree / "bin")}
    command = [str(tree / "run"), *arguments]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def test_without_python_it_says_how_to_get_one(tree: Path) -> None:
    result = run(tree, "demo")
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; found no Python" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_an_old_python_is_named(tree: Path) -> None:
    program(tree / "bin" / "python3", 'case "$*" in --version) echo Python 3.9.2 ;; *) exit 1 ;; esac')
    result = run(tree, "demo")
    assert result.returncode == 1
    assert "found Python 3.9.2" in result.stderr


def test_a_python_that_is_on_the_path_and_does_not_run_is_passed_over(tree: Path) -> None:
    program(tree / "bin" / "python3.13", "exit 127")
    program(tree / "bin" / "python3", f'exec "{sys.executable}" "$@"')
    result = run(tree, "test", "-k", "a b")
    assert result.stdout.strip() == f"{sys.executable} test -k a b"
    assert result.returncode == 7


def test_the_environment_comes_first(tree: Path) -> None:
    program(tree / ".venv" / "bin" / "python", f'FROM=venv exec "{sys.executable}" "$@"')
    assert run(tree, "test").returncode == 7


def test_a_broken_environment_does_not_stop_it(tree: Path) -> None:
    (tree / ".venv" / "bin").mkdir(parents=True)
    (tree / ".venv" / "bin" / "python").symlink_to(tree / "gone")
    program(tree / "bin" / "python", f'exec "{sys.executable}" "$@"')
    assert run(tree, "test").returncode == 7
