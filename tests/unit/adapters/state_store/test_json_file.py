"""What only the JSON files promise: how damage is met, what survives an upgrade, who may read them."""

import fcntl
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.state_store import durable_files
from edgemind.adapters.state_store.json_file import JsonFileStateStore
from edgemind.domain.keys import ApiKey
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.ports.state_store import SiteRegistration

DIGEST = "ab" * 32
OLD = ApiKey("00000001", "demo", DIGEST, created_ms=1_000)
NEW = ApiKey("00000002", "demo", DIGEST, created_ms=2_000)
SITE = SiteRegistration("site-a", 7, "http://127.0.0.1:8200", None, 1_000, "0.1.0")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(directory: Path) -> JsonFileStateStore:
    """A store with one key and one site in it, newly opened."""
    writer = JsonFileStateStore(directory)
    writer.add_key(OLD, live_limit=2)
    writer.put_registration(SITE)
    return JsonFileStateStore(directory, lock_timeout_s=0.0)


def change(path: Path, edit: Callable[[dict[str, object]], object]) -> None:
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def test_files_are_for_their_owner_only(store: JsonFileStateStore, directory: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}

    assert modes == {".lock": 0o600, "keys.json": 0o600, "sites.json": 0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert OLD.sha256 in (directory / "keys.json").read_text()


def test_reading_makes_nothing(directory: Path) -> None:
    store = JsonFileStateStore(directory)

    assert (store.list_keys(), store.list_registrations(), store.keys_version()) == ([], [], "absent")
    assert not directory.exists()


def test_every_way_to_cut_the_file_short_is_noticed_and_nothing_is_lost(
    store: JsonFileStateStore, directory: Path
) -> None:
    path = directory / "keys.json"
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(StateCorrupt, match=r"keys\.json cannot be used.*left as it is.*backup"):
            store.list_keys()
        with pytest.raises(StateCorrupt):
            store.add_key(NEW, live_limit=2)
        assert path.read_bytes() == whole[:size]


@pytest.mark.parametrize(
    "content",
    [b"\0" * 100, b"\xff\xfe", b"[]", b"null", b"7", b"[" * 100_000, b'{"records": {}}', b"9" * 5_000,
     b'{"schema_version": "1.0"}', b'{"schema_version": "one", "records": {}}', b'{"schema_version": 1, "records": {}}',
     b'{"schema_version": "1.0", "records": []}', b'{"schema_version": "1.0", "records": {"a": 7}}'],
)  # fmt: skip
def test_what_is_no_document_of_ours_is_left_alone(store: JsonFileStateStore, directory: Path, content: bytes) -> None:
    (directory / "sites.json").write_bytes(content)

    with pytest.raises(StateCorrupt, match=r"sites\.json cannot be used.*Move it aside"):
        store.put_registration(SITE)
    assert (directory / "sites.json").read_bytes() == content


@pytest.mark.parametrize(
    ("field", "value"),
    [("sha256", "ab"), ("sha256", "Z" * 64), ("sha256", None), ("tenant", 7), ("created_ms", "1"), ("created_ms", -1),
     ("created_ms", True), ("created_ms", 10**20), ("revoked_ms", "no"), ("schema_version", "2.0")],
)  # fmt: skip
def test_a_record_with_a_wrong_field_is_named(
    store: JsonFileStateStore, directory: Path, field: str, value: object
) -> None:
    change(directory / "keys.json", lambda document: document["records"]["00000001"].update({field: value}))  # type: ignore[index]

    with pytest.raises(StateCorrupt, match=r'keys\.json cannot be used: record "00000001"'):
        store.list_keys()


def test_a_key_whose_revocation_was_lost_does_not_come_back_to_life(store: JsonFileStateStore, directory: Path) -> None:
    change(directory / "keys.json", lambda document: document["records"]["00000001"].pop("revoked_ms"))  # type: ignore[index]

    with pytest.raises(StateCorrupt, match="revoked_ms is missing"):
        store.list_keys()


def test_a_newer_schema_is_refused_with_what_to_do(store: JsonFileStateStore, directory: Path) -> None:
    change(directory / "keys.json", lambda document: document.update(schema_version="2.0"))

    with pytest.raises(StateCorrupt, match=r"newer EdgeMind \(schema 2\.0; this one reads up to 1\.x\): upgrade"):
        store.add_key(NEW, live_limit=2)


def test_what_a_newer_minor_version_added_is_kept(store: JsonFileStateStore, directory: Path) -> None:
    def upgrade(document: dict[str, object]) -> None:
        document.update(schema_version="1.1", sealed_by="hsm-7")
        document["records"]["00000001"].update(schema_version="1.1", note="camera fleet")  # type: ignore[index]

    change(directory / "keys.json", upgrade)
    store.add_key(NEW, live_limit=2)
    store.revoke_key(OLD.key_id, revoked_ms=9_000)

    document = json.loads((directory / "keys.json").read_text())
    assert (document["schema_version"], document["sealed_by"]) == ("1.1", "hsm-7")
    assert document["records"]["00000001"]["schema_version"] == "1.1"
    assert document["records"]["00000001"]["note"] == "camera fleet"
    assert document["records"]["00000001"]["revoked_ms"] == 9_000
    assert [key.key_id for key in store.list_keys()] == ["00000001", "00000002"]


def test_keys_that_vanish_under_a_running_process_are_not_taken_for_no_keys(
    store: JsonFileStateStore, directory: Path
) -> None:
    store.list_keys()
    (directory / "keys.json").unlink()

    with pytest.raises(StateCorrupt, match=r"keys\.json was there and is gone"):
        store.list_keys()
    assert store.keys_version() == "absent"
    assert JsonFileStateStore(directory).list_keys() == []


def test_sites_that_vanish_register_again(store: JsonFileStateStore, directory: Path) -> None:
    store.list_registrations()
    (directory / "sites.json").unlink()

    store.put_registration(SITE)
    assert store.list_registrations() == [SITE]


def test_a_lock_that_is_never_given_back_is_reported(store: JsonFileStateStore, directory: Path) -> None:
    with (directory / ".lock").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match=r"has held .*\.lock for more than 0 s.*stopped edgemind process"):
            store.add_key(NEW, live_limit=2)
        assert store.list_keys() == [OLD]

    store.add_key(NEW, live_limit=2)


class OsAsRoot:
    """The `os` that root would see; notes instead of doing what only root may do."""

    def __init__(self) -> None:
        self.owners: list[tuple[int, int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def geteuid(self) -> int:
        return 0

    def fchown(self, descriptor: int, user: int, group: int) -> None:
        self.owners.append((user, group))


def test_what_root_writes_belongs_to_the_owner_of_the_directory(
    store: JsonFileStateStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root = OsAsRoot()
    monkeypatch.setattr(durable_files, "os", as_root)
    store.add_key(NEW, live_limit=2)

    owner = directory.stat()
    lock_file, key_file = as_root.owners
    assert lock_file == key_file == (owner.st_uid, owner.st_gid)
