"""What a model server keeps about its replicas."""

from pathlib import Path

import pytest

from edgemind.adapters.scaler.replica_file import ChangedSince, ReplicaFile, Wanted
from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError, StateCorrupt
from edgemind.ports.scaler import StaleFence


def test_servers_of_one_site_share_the_file(tmp_path: Path) -> None:
    one, other = ReplicaFile(tmp_path, "site-a"), ReplicaFile(tmp_path, "site-a")
    one.change("m", 3, Fence(1, 2), None)
    other.change("org/n", 2, Fence(1, 1), 0)
    expected = {"m": Wanted(3, Fence(1, 2), 1), "org/n": Wanted(2, Fence(1, 1), 1)}
    assert one.read() == other.read() == expected
    assert ReplicaFile(tmp_path, "site-b").read() == {}


def test_a_refused_change_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    file = ReplicaFile(tmp_path, "site-a")
    file.change("m", 3, Fence(1, 2), 0)
    content = (tmp_path / "replicas-site-a.json").read_bytes()
    with pytest.raises(StaleFence):
        file.change("m", 4, Fence(1, 1), 1)
    with pytest.raises(ChangedSince):
        file.change("m", 4, Fence(1, 2), 0)
    assert (tmp_path / "replicas-site-a.json").read_bytes() == content


@pytest.mark.parametrize("damage", ['"fence": "x"', '"fence": 1', '"fence": "1.1.1"', '"fence": "-1.2"'])
def test_a_damaged_record_says_how_to_recover(tmp_path: Path, damage: str) -> None:
    file = ReplicaFile(tmp_path, "site-a")
    file.change("m", 3, Fence(1, 2), None)
    path = tmp_path / "replicas-site-a.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"fence": "1.2"', damage), encoding="utf-8")
    with pytest.raises(StateCorrupt, match="one replica of each model"):
        file.read()


def test_fences_are_read_as_they_are_written() -> None:
    assert Fence.parse(str(Fence(3, 1700))) == Fence(3, 1700)
    for text in ("", "1", "1.", ".1", "1.x", "²1.1", "1.1 ", "9" * 17 + ".1"):
        with pytest.raises(PermanentError):
            Fence.parse(text)
