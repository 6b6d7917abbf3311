"""Commands beside a demo need no flag, and whoever names a file gets that one."""

from pathlib import Path

import pytest

from edgemind.entrypoints.configuration_file import HERE, OF_DEMO, configuration_file
from edgemind.entrypoints.demo.folder import FOLDER, DemoFolder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGEMIND_CONFIG", raising=False)
    return tmp_path


def write(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("version: 1\n", encoding="utf-8")


def test_a_fleets_own_file_comes_before_a_demos() -> None:
    assert configuration_file(None) == HERE
    write(OF_DEMO)
    assert configuration_file(None) == OF_DEMO
    write(HERE)
    assert configuration_file(None) == HERE


def test_who_names_one_gets_that_there_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    write(OF_DEMO, HERE)
    assert configuration_file(Path("other.yaml")) == Path("other.yaml")
    monkeypatch.setenv("EDGEMIND_CONFIG", "theirs.yaml")
    assert configuration_file(None) == Path("theirs.yaml")
    assert configuration_file(Path("other.yaml")) == Path("other.yaml")


def test_it_is_where_the_demo_writes_it() -> None:
    assert DemoFolder(FOLDER / "demo").config == OF_DEMO
