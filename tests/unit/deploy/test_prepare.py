"""deploy/compose/prepare.py: secrets and a key are made once, and a key whose record is lost is made anew."""

import importlib.util
import stat
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "compose" / "prepare.py"


class Keys:
    """`edgemind keys` over a list, as it answers with `-o json`."""

    def __init__(self) -> None:
        self.stored: list[dict[str, str]] = []

    def __call__(self, verb: str, *arguments: str) -> Any:
        if verb == "list":
            return self.stored
        if verb == "revoke":
            (key,) = [key for key in self.stored if key["id"] == arguments[0]]
            key["state"] = "revoked"
            return key
        made = {"id": f"{len(self.stored):08x}", "tenant": arguments[1], "state": "live"}
        self.stored.append(made)
        return {**made, "key": f"em_{made['id']}_secret"}


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def prepare(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("prepare", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "KEY", tmp_path / "key")
    monkeypatch.setattr(module, "edgemind_keys", keys)
    return module


def test_secrets_differ_are_private_and_stay(prepare: ModuleType, tmp_path: Path) -> None:
    prepare.make_secrets()
    made = {name: (tmp_path / name).read_text() for name in prepare.SECRETS}
    assert len(set(made.values())) == len(prepare.SECRETS)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in prepare.SECRETS} == {0o600}
    prepare.make_secrets()
    assert made == {name: (tmp_path / name).read_text() for name in prepare.SECRETS}


def test_a_key_in_force_stays(prepare: ModuleType, tmp_path: Path, keys: Keys) -> None:
    prepare.make_key()
    prepare.make_key()
    assert (tmp_path / "key").read_text() == "em_00000000_secret\n"
    assert [key["state"] for key in keys.stored] == ["live"]


def test_a_store_that_lost_its_records_gets_a_new_key(prepare: ModuleType, tmp_path: Path, keys: Keys) -> None:
    prepare.make_key()
    keys.stored = [{"id": "aaaaaaaa", "tenant": "other", "state": "live"}]
    prepare.make_key()
    assert (tmp_path / "key").read_text() == "em_00000001_secret\n"


def test_a_key_whose_file_is_lost_is_revoked(prepare: ModuleType, tmp_path: Path, keys: Keys) -> None:
    prepare.make_key()
    (tmp_path / "key").unlink()
    prepare.make_key()
    assert [key["state"] for key in keys.stored] == ["revoked", "live"]
    assert (tmp_path / "key").read_text() == "em_00000001_secret\n"
