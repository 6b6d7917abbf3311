"""What every journal of rounds promises, and what the file on a disk holds beyond it."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.round_journal.json_lines import JsonLinesRoundJournal
from edgemind.adapters.round_journal.memory import MemoryRoundJournal
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.records import Fence
from edgemind.errors import StoreUnavailable
from edgemind.ports.round_journal import RoundJournal
from tests.support.round_records import effect, round_record

ADAPTERS: dict[str, Callable[[Path, int], RoundJournal]] = {
    "memory": lambda _, kept: MemoryRoundJournal(kept),
    "json_lines": lambda directory, kept: JsonLinesRoundJournal(directory, "site-a", kept=kept),
}


@pytest.fixture(params=ADAPTERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., RoundJournal]:
    return lambda kept=500: ADAPTERS[request.param](tmp_path, kept)


def fences(journal: RoundJournal, limit: int = 9, before: Fence | None = None) -> list[str]:
    return [str(record.fence) for record in journal.recent(limit, before)]


def test_an_empty_journal_is_empty(make: Callable[..., RoundJournal]) -> None:
    assert make().recent(5, None) == []
    assert make().find(Fence(1, 1)) is None


def test_records_come_newest_first_page_by_page_in_the_order_of_their_fences(make: Callable[..., RoundJournal]) -> None:
    journal = make()
    for number, epoch in ((2, 1), (11, 1), (9, 1), (1, 2), (10, 1)):
        journal.keep(round_record(number, epoch=epoch))
    assert fences(journal) == ["2.1", "1.11", "1.10", "1.9", "1.2"]
    assert fences(journal, 2) == ["2.1", "1.11"]
    assert fences(journal, 2, Fence(1, 11)) == ["1.10", "1.9"]
    assert journal.find(Fence(1, 9)) == round_record(9)


def test_what_is_added_to_a_round_takes_the_place_of_what_was_kept(make: Callable[..., RoundJournal]) -> None:
    journal, record = make(), round_record()
    journal.keep(record)
    more = replace(record, effects=(effect(record),))
    journal.keep(more)
    assert (journal.find(record.fence), fences(journal)) == (more, ["1.3"])


def test_the_oldest_are_forgotten(make: Callable[..., RoundJournal]) -> None:
    journal = make(kept=3)
    for number in (4, 1, 2, 5, 3):
        journal.keep(round_record(number))
    assert fences(journal) == ["1.5", "1.4", "1.3"]


# What only a file can go through


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rounds" / "site-a.jsonl"


def reopened(path: Path, **more: Any) -> JsonLinesRoundJournal:
    return JsonLinesRoundJournal(path.parent.parent, "site-a", **more)


def test_a_file_outlives_its_process(path: Path) -> None:
    first = reopened(path)
    for number in (1, 2):
        first.keep(round_record(number))
    first.keep(replace(round_record(1), effects=(effect(round_record(1)),)))
    again = reopened(path)
    assert again.recent(9, None) == first.recent(9, None)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_costs_itself_only(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reopened(path).keep(round_record(1))
    with path.open("ab") as stream:
        stream.write(json.dumps(record_document(round_record(2))).encode()[:200])
    journal = reopened(path)
    assert fences(journal) == ["1.1"]
    assert "1 lines cannot be read" in caplog.text
    journal.keep(round_record(3))
    assert fences(reopened(path)) == ["1.3", "1.1"]


@pytest.mark.parametrize("junk", [b"\x00\xff\n", b"[]\n", b'{"v": 1}\n', b"[" * 100_000 + b"\n"])
def test_what_is_no_record_is_left_aside(path: Path, junk: bytes) -> None:
    reopened(path).keep(round_record(1))
    path.write_bytes(junk + path.read_bytes() + junk)
    journal = reopened(path)
    assert fences(journal) == ["1.1"]
    journal.keep(round_record(2))
    assert fences(reopened(path)) == ["1.2", "1.1"]


def test_the_file_never_grows_beyond_its_limit(path: Path) -> None:
    line = len(json.dumps(record_document(round_record(10)), separators=(",", ":"))) + 1
    journal = reopened(path, limit_bytes=3 * line)
    for number in range(10, 50):
        journal.keep(round_record(number))
        sizes = [one.stat().st_size for one in path.parent.iterdir()]
        assert len(sizes) <= 2
        assert max(sizes) < 4 * line
    kept = fences(reopened(path), limit=50)
    assert kept == [f"1.{number}" for number in range(49, 49 - len(kept), -1)]
    assert 3 <= len(kept) <= 6


def test_a_full_disk_is_told_and_the_record_can_be_read_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = reopened(path)
    journal.keep(round_record(1))
    write, full = os.write, True

    def half(descriptor: int, data: Any) -> int:
        """Takes some bytes of a line, then no more."""
        if not full:
            return write(descriptor, data)
        if len(data) < 300:
            raise OSError(28, "No space left on device")
        return write(descriptor, bytes(data)[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StoreUnavailable, match=r"site-a\.jsonl: No space left on device\. Free some space"):
        journal.keep(round_record(2))
    assert fences(journal) == ["1.2", "1.1"]

    full = False
    journal.keep(round_record(3))
    assert fences(reopened(path)) == ["1.3", "1.1"]


def test_a_place_that_cannot_be_used_does_not_keep_a_controller_from_starting(tmp_path: Path) -> None:
    (tmp_path / "rounds").write_text("a file in the way")
    journal = reopened(tmp_path / "rounds" / "site-a.jsonl")
    with pytest.raises(StoreUnavailable, match=r"set state\.directory"):
        journal.keep(round_record(1))
    assert fences(journal) == ["1.1"]
