"""The demo's folder: private, one demo at a time, fresh each time."""

import json
import stat
from pathlib import Path

import pytest

from edgemind.entrypoints.demo.configuration import demo_configuration
from edgemind.entrypoints.demo.folder import FLEET_FILE, claimed_folder, default_fleet
from edgemind.entrypoints.demo.layout import demo_fleet
from edgemind.errors import PermanentError

YAML = demo_configuration(demo_fleet(2, 8100, llama=False), "hybrid")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_private_and_new_each_time() -> None:
    seen = set()
    for _ in range(3):
        with claimed_folder() as folder:
            key = folder.issue_key(folder.fill(YAML))
            files = [folder.path / name for name in ("fleet.secret", "viewer.token", "admin.token", "key")]
            assert {mode(file) for file in files} == {0o600}
            assert (folder.path / "key").read_text().strip() == key
            seen |= {file.read_text() for file in files}
    # A third key of one tenant would be refused, were the old state still there.
    assert len(seen) == 12


def test_a_second_demo_is_told_who_holds_the_folder() -> None:
    refused = pytest.raises(PermanentError, match=r"already running .*process \d+.*--base-port")
    with claimed_folder(), refused, claimed_folder():
        pass
    with claimed_folder():
        pass


def test_a_folder_that_cannot_be_written() -> None:
    Path(".edgemind").write_text("a file")
    with (
        pytest.raises(PermanentError, match=r"cannot write .*\.edgemind.*start the demo in a folder"),
        claimed_folder(),
    ):
        pass


def test_the_command_line_finds_the_demo_while_it_runs() -> None:
    with claimed_folder():
        with default_fleet("http://127.0.0.1:8200", "secret"):
            assert json.loads(FLEET_FILE.read_text()) == {"url": "http://127.0.0.1:8200", "token": "secret"}
            assert mode(FLEET_FILE) == 0o600
        assert not FLEET_FILE.exists()


def test_a_fleet_that_somebody_else_chose_meanwhile_stays() -> None:
    with claimed_folder():
        with default_fleet("http://127.0.0.1:8200", "secret"):
            FLEET_FILE.write_text('{"url": "http://elsewhere:1"}')
        assert FLEET_FILE.exists()
