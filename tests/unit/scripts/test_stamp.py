from pathlib import Path

import pytest

from scripts import stamp as stamps
from scripts.groups import CORE, DEMO, DEV, GROUPS, LLAMA
from scripts.stamp import Stamp


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for group in GROUPS:
        group.lock_path(tmp_path).write_text(f"{group.name}==1\n")
    return tmp_path


def test_a_saved_stamp_is_read_back(tree: Path) -> None:
    stamp = Stamp(str(tree), "3.12", {"dev": "0" * 64}, {"llama": ["1" * 64, "no build"]})
    stamp.save()
    assert stamps.load(tree) == stamp


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"path": 1, "python": "3.11", "schema_version": 2}'])
def test_a_stamp_that_cannot_be_read_is_no_stamp(tree: Path, text: str) -> None:
    (tree / stamps.FILE_NAME).write_text(text)
    assert stamps.load(tree) is None


def test_a_changed_lock_is_installed_again(tree: Path) -> None:
    stamp = Stamp(str(tree), "3.12", {"demo": DEMO.lock_sha256(tree)})
    assert stamp.settles(DEMO, tree)
    DEMO.lock_path(tree).write_text("demo==2\n")
    assert not stamp.settles(DEMO, tree)


def test_a_group_is_there_with_one_that_contains_it(tree: Path) -> None:
    stamp = Stamp(str(tree), "3.12", {"dev": DEV.lock_sha256(tree)})
    assert stamp.settles(CORE, tree)
    assert stamp.settles(DEMO, tree)
    assert not stamp.settles(LLAMA, tree)


def test_what_cannot_be_had_is_not_tried_again_until_its_lock_changes(tree: Path) -> None:
    stamp = Stamp(str(tree), "3.12", missing={"llama": [LLAMA.lock_sha256(tree), "no build"]})
    assert stamp.settles(LLAMA, tree)
    LLAMA.lock_path(tree).write_text("llama==2\n")
    assert not stamp.settles(LLAMA, tree)


def test_an_installation_begun_is_not_one_done(tree: Path) -> None:
    stamp = Stamp(str(tree), "3.12", {"dev": DEV.lock_sha256(tree)})
    stamp.forget(DEV)
    assert not stamp.settles(DEV, tree)
