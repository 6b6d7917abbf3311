"""Calls of a store that blocks: what their failures mean to a member, and what is said of them."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.protocol import Answer, Found, ReadCurrent, Trouble
from edgemind.domain.swarm.records import CurrentRound
from edgemind.domain.swarm.writes import Genesis
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.ports.swarm_store import NotProvisioned, OutcomeUnknown, Throttled
from edgemind.services.rounds.store_calls import IN_A_ROW, StoreThreads

CORRUPT = [StateCorrupt("get_item on table t: gone"), StateCorrupt("update_item on table t: gone")]


class Scripted(MemorySwarmStore):
    """Reads fail as scripted, one after another, and then succeed."""

    def __init__(self, failures: Sequence[Exception]) -> None:
        super().__init__("test")
        self.genesis(Genesis())
        self._failures = list(failures)

    def read_current(self) -> CurrentRound:
        if self._failures:
            raise self._failures.pop(0)
        return super().read_current()


def asked(failures: Sequence[Exception], calls: int) -> tuple[list[Answer], StoreThreads]:
    """The answers to so many reads, one after another."""

    async def main() -> tuple[list[Answer], StoreThreads]:
        threads = StoreThreads(Scripted(failures))
        answers: list[Answer] = []
        for _ in range(calls):
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            threads.ask(ReadCurrent(), answered.set_result)
            answers.append(await answered)
        threads.close()
        return answers, threads

    return asyncio.run(main())


def test_what_may_have_been_applied_is_unknown_and_everything_else_was_not() -> None:
    failures = [OutcomeUnknown("a"), Throttled("b"), StoreUnavailable("c"), NotProvisioned("d"), ValueError("e")]
    answers, _ = asked(failures, 6)
    assert answers[:5] == [Trouble.UNKNOWN] + [Trouble.THROTTLED] * 4
    assert isinstance(answers[5], Found)


def test_a_lost_call_or_two_are_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    _, threads = asked([OutcomeUnknown("lost")] * (IN_A_ROW - 1), IN_A_ROW - 1)
    assert threads.trouble is None
    asked([OutcomeUnknown("lost")] * (IN_A_ROW - 1), IN_A_ROW)
    assert caplog.records == []


def test_trouble_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    lost = [StoreUnavailable("nobody listens at 127.0.0.1:8000")] * 10
    _, threads = asked(lost, 10)
    assert threads.trouble is not None
    assert not threads.trouble.lasting
    _, threads = asked(lost, 12)
    assert threads.trouble is None
    first = "no round can be decided: nobody listens at 127.0.0.1:8000"
    assert [record.getMessage() for record in caplog.records] == [
        first, first, "rounds can be decided again: the swarm's store answers"
    ]  # fmt: skip


def test_what_a_person_has_to_mend_is_told_at_once_each_reason_once(caplog: pytest.LogCaptureFixture) -> None:
    """Reads and writes of a table that is gone fail in turns, each in its own words."""
    _, threads = asked(CORRUPT * 20, 40)
    assert threads.trouble is not None
    assert threads.trouble.lasting
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
