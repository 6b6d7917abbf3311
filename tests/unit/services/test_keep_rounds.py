import logging
from threading import Event

import pytest

from edgemind.adapters.round_journal.memory import MemoryRoundJournal
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.errors import StoreUnavailable
from edgemind.services.rounds.keep_rounds import WAITING_LIMIT, RoundKeeper
from tests.support.round_records import round_record


class SlowJournal(MemoryRoundJournal):
    """Blocks until it is let go; counts its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()
        self.reached = Event()
        self.written: list[RoundRecord] = []

    def keep(self, record: RoundRecord) -> None:
        self.reached.set()
        self.go.wait()
        self.written.append(record)
        super().keep(record)


class FullDisk(MemoryRoundJournal):
    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = StoreUnavailable("cannot write: no space")

    def keep(self, record: RoundRecord) -> None:
        super().keep(record)
        if self.trouble is not None:
            raise self.trouble


def test_nobody_waits_for_the_disk_and_what_changes_meanwhile_is_written_once() -> None:
    journal = SlowJournal()
    keeper = RoundKeeper(journal)
    record = round_record(2)
    keeper.keep(round_record(1))
    journal.reached.wait()
    keeper.keep(record)
    for _ in range(5):
        record = RoundRecord(**{name: getattr(record, name) for name in RoundRecord.__slots__})
        keeper.keep(record)
    assert journal.written == [], "all of this while the disk was busy"
    journal.go.set()
    keeper.close()
    assert [one.fence.round for one in journal.written] == [1, 2]
    keeper.keep(round_record(3))
    assert journal.find(Fence(1, 3)) is None, "it is closed"


def test_a_disk_that_hangs_for_ever_costs_a_bounded_number_of_records() -> None:
    journal = SlowJournal()
    keeper = RoundKeeper(journal)
    keeper.keep(round_record(1))
    journal.reached.wait()
    for number in range(2, WAITING_LIMIT + 12):
        keeper.keep(round_record(number))
    assert keeper.given_up == 10
    journal.go.set()
    keeper.close()
    assert [one.fence.round for one in journal.written] == [1, *range(12, WAITING_LIMIT + 12)]


@pytest.mark.parametrize("trouble", [StoreUnavailable("cannot write: no space"), None])
def test_a_full_disk_is_told_once_and_that_it_is_over_once(
    trouble: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    journal = FullDisk()
    keeper = RoundKeeper(journal)
    for number in range(1, 5):
        keeper.keep(round_record(number))
    keeper.close()
    assert caplog.text.count("no space") == 1
    assert len(journal.recent(9, None)) == 4

    journal.trouble = trouble
    again = RoundKeeper(journal)
    again._in_trouble = True
    record = round_record(5)
    again.keep(record)
    again.close()
    assert caplog.text.count("written to the disk again") == (trouble is None)


def test_a_defect_in_a_journal_does_not_end_the_history(caplog: pytest.LogCaptureFixture) -> None:
    journal = FullDisk()
    journal.trouble = KeyError("a defect")
    keeper = RoundKeeper(journal)
    keeper.keep(round_record(1))
    keeper.keep(round_record(2))
    keeper.close()
    assert len(journal.recent(9, None)) == 2
    assert "could not be written down" in caplog.text
