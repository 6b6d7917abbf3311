from pathlib import Path

import pytest

from scripts import locks
from scripts.groups import BENCH, DEV, GROUPS, LITELLM, LLAMA, SMOLLM2, Place
from scripts.installer import count_packages

ROOT = Path(__file__).resolve().parents[3]
PYPROJECT = """
[project]
requires-python = ">=3.11"
dependencies = [{core}]
[project.optional-dependencies]
aws = ["boto3"]
agents = ["strands-agents"]
certs = ["cryptography"]
telemetry = ["opentelemetry-sdk"]
demo = ["rich"]
dev = ["pytest"]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.format(core='"b", "a"'))
    (tmp_path / "requirements" / "litellm.in").write_text("# why\nlitellm[proxy]\n")
    return tmp_path


def test_the_digest_follows_the_dependencies_not_their_order(tree: Path) -> None:
    before = locks.inputs_digest(tree, DEV)
    (tree / "pyproject.toml").write_text(PYPROJECT.format(core='"a", "b"'))
    assert locks.inputs_digest(tree, DEV) == before
    (tree / "pyproject.toml").write_text(PYPROJECT.format(core='"a", "b>2"'))
    assert locks.inputs_digest(tree, DEV) != before


def test_the_digest_of_an_in_file_leaves_out_comments(tree: Path) -> None:
    before = locks.inputs_digest(tree, LITELLM)
    (tree / "requirements" / "litellm.in").write_text("litellm[proxy]\n\n# another\n")
    assert locks.inputs_digest(tree, LITELLM) == before


def test_the_locks_are_fresh_and_hashed() -> None:
    assert locks.stale(ROOT) == []
    assert [locks.unhashed(group.lock_path(ROOT).read_text()) for group in GROUPS] == [[]] * len(GROUPS)


def test_a_pin_without_a_hash_is_found() -> None:
    text = "# header\na==1 \\\n    --hash=sha256:00\nb==2\nc>=3 --hash=sha256:00\n"
    assert locks.unhashed(text) == ["b==2", "c>=3"]


def test_every_lock_in_the_folder_belongs_to_a_group() -> None:
    assert {path.stem for path in (ROOT / "requirements").iterdir()} == {group.name for group in GROUPS}


def test_groups_that_share_an_environment_share_pins() -> None:
    assert "--constraints" in locks.compile_arguments(BENCH)
    assert "--constraints" not in locks.compile_arguments(DEV)
    assert "--constraints" not in locks.compile_arguments(LITELLM)
    assert "--no-deps" in locks.compile_arguments(SMOLLM2)
    assert "--extra=llama" in locks.compile_arguments(LLAMA)
    pins: dict[str, set[str]] = {}
    for group in GROUPS:
        if group.place is Place.MAIN:
            for line in group.lock_path(ROOT).read_text().splitlines():
                if "==" in line:
                    # On which systems it is installed may differ: who needs it there differs.
                    pin, _, marker = line.rstrip(" \\").partition(" ; ")
                    counted = f"{pin} ; {marker}" if "python" in marker else pin
                    pins.setdefault(pin.partition("==")[0], set()).add(counted)
    # More than one line for a package is fine only for Pythons of different age, in every lock alike.
    assert all(len(lines) == 1 or all(";" in line for line in lines) for lines in pins.values())


def test_packages_are_counted_once() -> None:
    assert count_packages("a==1 ; x \\\n --hash=sha256:0\na==2 ; y \\\nb[c]==1\n# d==1\n") == 2
