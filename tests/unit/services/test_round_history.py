import logging

import pytest

from edgemind.adapters.audit_journal.memory import MemoryAuditJournal
from edgemind.adapters.round_journal.memory import MemoryRoundJournal
from edgemind.domain.swarm.history import EffectReport
from edgemind.domain.swarm.messages import Acknowledge
from edgemind.domain.swarm.protocol import Answered, Applied, Breached, Event, Membership, Received, Tick
from edgemind.domain.swarm.records import Fence
from edgemind.services.rounds.round_history import RoundHistory
from tests.support.clocks import ManualClock
from tests.unit.domain.swarm.builders import CANDIDATES, ballot, member


def history(journal: MemoryRoundJournal) -> RoundHistory:
    return RoundHistory("a", "test", journal, ManualClock(), MemoryAuditJournal())


def test_a_round_gets_from_the_member_into_the_journal_and_later_effects_are_added_after_a_restart() -> None:
    journal = MemoryRoundJournal()
    kept, one = history(journal), member("a")
    steps: list[tuple[Event, float]] = [
        (Membership(("a", "b", "c")), 0.0), (Breached(CANDIDATES), 0.0), (Answered(1, 1, Applied()), 5.0),
        (Received(Acknowledge("b", ballot("b"))), 15.0), (Received(Acknowledge("c", ballot("c"))), 16.0),
        (Tick(), 41.0), (Answered(2, 1, Applied()), 46.0),
    ]  # fmt: skip
    for event, now_ms in steps:
        kept.recorder.observe(event, one.step(event, now_ms), now_ms)
    kept.close()
    record = journal.find(Fence(1, 1))
    assert record is not None
    assert (record.decided_ms, record.voters) == (46.0, ("b", "c"))

    again = history(journal)
    again.recorder.effect(EffectReport(Fence(1, 1), "b", "shift", "undone", 0.5))
    again.close()
    record = journal.find(Fence(1, 1))
    assert record is not None
    assert [effect.state for effect in record.effects] == ["undone"]


def test_a_defect_costs_history_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    kept = history(MemoryRoundJournal())
    for _ in range(3):
        kept.recorder.observe(None, (), 0.0)  # type: ignore[arg-type]
        kept.recorder.effect(None)  # type: ignore[arg-type]
        kept.recorder.voted(None)  # type: ignore[arg-type]
    kept.close()
    assert caplog.text.count("could not be written down") == 1
