"""`--no-skips`, in a small suite of its own that uses this suite's conftest."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

SUITE = """
import pytest

def test_engine(): pytest.skip("no llama.cpp here")

@pytest.mark.skipif(True, reason="no Envoy here")
def test_marked(): pass

def test_other_machine(): pytest.skip("platform: only on macOS")

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copy(HERE.parent / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_some.py").write_text(SUITE)
    (tmp_path / "test_whole_file.py").write_text(
        "import pytest\npytest.importorskip('nonesuch', reason='no nonesuch')\n"
    )
    return tmp_path


def summary(suite: Path, *flags: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-rs",
        f"--rootdir={suite}",
        *flags,
        str(suite),
    ]
    return subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False).stdout


def test_a_skip_is_a_failure_unless_it_is_about_the_platform(suite: Path) -> None:
    printed = summary(suite, "--no-skips", "--continue-on-collection-errors")
    assert "1 failed, 1 skipped, 1 xfailed, 2 errors" in printed
    assert "skipped under --no-skips: no llama.cpp here" in printed
    assert "skipped under --no-skips: no Envoy here" in printed
    assert "no nonesuch" in printed


def test_without_it_a_skip_is_a_skip(suite: Path) -> None:
    assert "4 skipped, 1 xfailed" in summary(suite)
