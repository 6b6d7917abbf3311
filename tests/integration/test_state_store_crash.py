"""A writer that dies, and a disk that refuses, leave the old file or the new one: never half of one, never a wreck."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edgemind.adapters.state_store import durable_files
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.errors import StoreUnavailable
from edgemind.ports.state_store import ApiKey, SiteRegistration
from tests.support.store_processes import start

KILLS = 40
BYSTANDERS = 150
"""Other sites in the file, so that writing it takes long enough to be hit."""


class Killed(BaseException):
    """Ends a writer where it stands: nothing in the code under test may catch it, as nothing can catch kill -9."""


class FaultyOs:
    """The `os` of durable_files in which the n-th use (from 1) of one call goes to `fault`; all else goes through."""

    def __init__(self, call: str, use: int, fault: Callable[..., Any]) -> None:
        self._call = call
        self._use = use
        self._fault = fault
        self._uses = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name != self._call:
            return real

        def counted(*arguments: Any, **options: Any) -> Any:
            self._uses += 1
            return (self._fault if self._uses == self._use else real)(*arguments, **options)

        return counted


def refuse(number: int) -> Callable[..., Any]:
    def fault(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fault


def die(*_: Any, **__: Any) -> Any:
    raise Killed


def write_half_and(fault: Callable[..., Any]) -> Callable[..., Any]:
    def write(descriptor: int, content: memoryview) -> Any:
        os.write(descriptor, content[: len(content) // 2])
        return fault()

    return write


def registration(site: str, heartbeat_ms: int = 1) -> SiteRegistration:
    return SiteRegistration(site, 1, f"http://{site}:8200", None, heartbeat_ms, "0.1.0")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A state directory in which site-a registered at 1."""
    JsonFileStateStore(tmp_path).put_registration(registration("site-a"))
    return tmp_path


def heartbeat(directory: Path) -> int:
    """As another process reads it."""
    return JsonFileStateStore(directory).list_registrations()[0].heartbeat_ms


@pytest.mark.slow
def test_kill_9_in_a_loop_never_shows_half_a_file_or_loses_what_was_acknowledged(tmp_path: Path) -> None:
    store = JsonFileStateStore(tmp_path, lock_timeout_s=30.0)
    for number in range(BYSTANDERS):
        store.put_registration(registration(f"bystander-{number}"))
    random = Random(9)
    writers = [start("renew", str(tmp_path), f"writer-{number}") for number in range(2)]
    try:
        for kill in range(KILLS):
            victim = writers.pop(0)
            writers.append(start("renew", str(tmp_path), f"writer-{kill + 2}"))
            assert victim.stdout is not None
            acknowledged = victim.stdout.readline()
            until_s = time.monotonic() + random.uniform(0, 0.02)
            while time.monotonic() < until_s:
                assert len(store.list_registrations()) > BYSTANDERS
            victim.kill()
            acknowledged += victim.communicate()[0]
            last = int(acknowledged[: acknowledged.rindex(b"\n")].split(b"\n")[-1])
            held = {entry.site: entry.heartbeat_ms for entry in store.list_registrations()}
            assert held[f"writer-{kill}"] in (last, last + 1)
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()

    store.put_registration(registration("survivor"))
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "sites.json"}


@pytest.mark.parametrize(
    ("call", "use", "fault", "kept"),
    [
        # `os.open` opens the lock, the temporary file and the directory; `os.fsync` syncs the file and the directory.
        ("open", 2, die, 1),
        ("write", 1, die, 1),
        ("write", 1, write_half_and(die), 1),
        ("fsync", 1, die, 1),
        ("open", 3, die, 2),
        ("fsync", 2, die, 2),
    ],
)
def test_death_at_any_step_leaves_the_old_record_or_the_new_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch, call: str, use: int, fault: Callable[..., Any], kept: int
) -> None:
    monkeypatch.setattr(durable_files, "os", FaultyOs(call, use, fault))
    with pytest.raises(Killed):
        JsonFileStateStore(directory).put_registration(registration("site-a", 2))
    monkeypatch.undo()
    assert heartbeat(directory) == kept

    JsonFileStateStore(directory).put_registration(registration("site-a", 3))
    assert heartbeat(directory) == 3
    assert {path.name for path in directory.iterdir()} == {".lock", "sites.json"}


@pytest.mark.parametrize(
    ("call", "use", "fault", "advice"),
    [
        ("open", 1, refuse(errno.EACCES), "Give this user the right"),
        ("open", 2, refuse(errno.EROFS), "read-only: set state.directory"),
        ("open", 2, refuse(errno.ENOSPC), "Free some space"),
        ("write", 1, refuse(errno.ENOSPC), "Free some space"),
        ("write", 1, write_half_and(refuse(errno.ENOSPC)), "Free some space"),
        ("write", 1, write_half_and(refuse(errno.EDQUOT)), "Free some space"),
        ("fsync", 1, refuse(errno.EIO), "Look at that disk"),
    ],
)
def test_a_disk_that_refuses_changes_nothing_and_says_what_to_do(
    directory: Path, monkeypatch: pytest.MonkeyPatch, call: str, use: int, fault: Callable[..., Any], advice: str
) -> None:
    monkeypatch.setattr(durable_files, "os", FaultyOs(call, use, fault))
    with pytest.raises(StoreUnavailable, match=advice) as refused:
        JsonFileStateStore(directory).put_registration(registration("site-a", 2))
    monkeypatch.undo()

    assert str(directory) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert heartbeat(directory) == 1
    assert {path.name for path in directory.iterdir()} == {".lock", "sites.json"}


def test_a_sync_that_fails_after_the_change_does_not_claim_that_nothing_happened(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_files, "os", FaultyOs("fsync", 2, refuse(errno.EIO)))
    with pytest.raises(StoreUnavailable, match="be sure that the disk has kept"):
        JsonFileStateStore(directory).put_registration(registration("site-a", 2))
    monkeypatch.undo()

    JsonFileStateStore(directory).put_registration(registration("site-a", 2))
    assert heartbeat(directory) == 2


def test_a_write_that_the_system_splits_is_completed(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = FaultyOs("write", 1, lambda descriptor, content: os.write(descriptor, content[:10]))
    monkeypatch.setattr(durable_files, "os", split)
    JsonFileStateStore(directory).put_registration(registration("site-a", 2))

    assert heartbeat(directory) == 2


# Paths that no user can use, root included: permissions would not stop root, and CI often runs as root.
@pytest.mark.parametrize("below", ["", "state", "deeper/state"])
def test_a_path_through_a_file_is_refused_with_what_to_do(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    store = JsonFileStateStore(tmp_path / "file" / below)
    key = ApiKey("00000001", "demo", "ab" * 32, created_ms=1)

    for call in (store.list_keys, store.keys_version, lambda: store.add_key(key, live_limit=2)):
        with pytest.raises(StoreUnavailable, match=r"file.*set state\.directory to a directory"):
            call()
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_directory_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()

    with pytest.raises(StoreUnavailable, match=r"cannot read .*keys\.json.*set state\.directory"):
        JsonFileStateStore(tmp_path).list_keys()
