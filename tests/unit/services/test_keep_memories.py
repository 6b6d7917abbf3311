"""Rounds are remembered after they are decided, and a memory in trouble costs memories only."""

import asyncio
import logging
from collections.abc import Callable
from threading import Event

import pytest

from edgemind.adapters.agent_memory.local import ProcessMemory
from edgemind.domain.agent_memory import Memory, MemoryKind, Recollection, Wanted
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.protocol import AskVoter
from edgemind.errors import PermanentError, StoreUnavailable, TemporaryError
from edgemind.ports.agent_memory import AgentMemory
from edgemind.services import keep_memories
from edgemind.services.keep_memories import RECALLS, WAITING_LIMIT, MemoryKeeper
from edgemind.simulation.swarm_process import Process
from tests.support.memories import memory
from tests.support.recorded_world import RecordedWorld
from tests.support.round_records import RecordedMember, round_record

WAIT_S = 30.0


class Troubled(ProcessMemory):
    """Raises what it is told to, or blocks until it is let go."""

    def __init__(self, trouble: Exception | None = None, blocked: bool = False) -> None:
        super().__init__()
        self.trouble = trouble
        self.go, self.reached = Event(), Event()
        if not blocked:
            self.go.set()

    def remember(self, memory: Memory) -> None:
        self.reached.set()
        self.go.wait(WAIT_S)
        if self.trouble is not None:
            raise self.trouble
        super().remember(memory)

    def recall(self, wanted: Wanted) -> Recollection:
        self.go.wait(WAIT_S)
        if self.trouble is not None:
            raise self.trouble
        return super().recall(wanted)


def kept(agent_memory: ProcessMemory) -> list[str]:
    return [one.text for one in ProcessMemory.recall(agent_memory, Wanted(limit=1000)).memories]


def test_a_finished_round_is_remembered_once_with_what_is_added_later() -> None:
    agent_memory = ProcessMemory()
    keeper = MemoryKeeper(agent_memory, "site-a")
    record = round_record(3)
    for _ in range(2):
        keeper.round_over(record)
    keeper.close(WAIT_S)
    found = agent_memory.recall(Wanted()).memories
    assert {one.kind for one in found} == {MemoryKind.ACTIVATION, MemoryKind.OUTCOME}
    assert {(one.fence, one.site, one.by) for one in found} == {("1.3", "site-a", "site-a")}
    assert keeper.status.kept == 2


def test_of_more_than_wait_the_oldest_are_dropped_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    agent_memory = Troubled(blocked=True)
    keeper = MemoryKeeper(agent_memory, "site-a")
    keeper.remember(memory(0, "first"))
    assert agent_memory.reached.wait(WAIT_S)
    for number in range(1, WAITING_LIMIT + 3):
        keeper.remember(memory(number, f"round {number}"))
    assert (keeper.status.waiting, keeper.status.dropped) == (WAITING_LIMIT, 3)
    agent_memory.go.set()
    keeper.close(WAIT_S)
    # The one that was on its way was dropped, and arrived all the same.
    assert sorted(kept(agent_memory)) == sorted(["first", *(f"round {n}" for n in range(3, WAITING_LIMIT + 3))])
    assert caplog.text.count("memories are dropped") == 1


def test_a_memory_that_is_down_is_tried_again_with_longer_pauses_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    agent_memory = Troubled(StoreUnavailable("no network"))
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        if len(pauses) == 9:
            agent_memory.trouble = None
        return False

    keeper = MemoryKeeper(agent_memory, "site-a", pause)
    keeper.remember(memory(1, "after all"))
    keeper.remember(memory(2, "and this"))
    keeper.close(WAIT_S)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert kept(agent_memory) == ["and this", "after all"]
    assert caplog.text.count("but are not remembered: no network") == 1
    assert caplog.text.count("remembered again") == 1
    assert keeper.status.last_error is None


@pytest.mark.parametrize("trouble", [PermanentError("no such memory"), ZeroDivisionError("by nought")])
def test_what_a_memory_refuses_is_dropped_and_the_next_one_tried(trouble: Exception) -> None:
    agent_memory = Troubled(trouble)
    keeper = MemoryKeeper(agent_memory, "site-a")
    for number in range(3):
        keeper.remember(memory(number))
    keeper.close(WAIT_S)
    assert (keeper.status.dropped, keeper.status.kept, keeper.status.waiting) == (3, 0, 0)
    assert str(trouble) in (keeper.status.last_error or "")


def test_a_memory_that_hangs_does_not_keep_the_process_from_ending(caplog: pytest.LogCaptureFixture) -> None:
    agent_memory = Troubled(blocked=True)
    keeper = MemoryKeeper(agent_memory, "site-a")
    keeper.remember(memory(1))
    assert agent_memory.reached.wait(WAIT_S)
    keeper.close(within_s=0.0)
    assert not keeper.remember(memory(2)), "it is closed"
    assert "1 memories were not kept" in caplog.text
    agent_memory.go.set()


def test_a_memory_that_is_down_does_not_keep_the_process_from_ending() -> None:
    keeper = MemoryKeeper(Troubled(StoreUnavailable("no network")), "site-a")
    keeper.remember(memory(1))
    keeper.close(WAIT_S)
    assert keeper.status.waiting == 1


# Recalls


def recalled(keeper: MemoryKeeper, wanted: Wanted) -> Recollection:
    return asyncio.run(keeper.recall(wanted))


def test_what_is_kept_is_recalled() -> None:
    agent_memory = ProcessMemory()
    agent_memory.remember(memory(1, "a crowd at site-a"))
    keeper = MemoryKeeper(agent_memory, "site-a")
    assert [one.text for one in recalled(keeper, Wanted("crowd")).memories] == ["a crowd at site-a"]
    keeper.close()


def test_a_recall_that_hangs_is_given_up_and_only_so_many_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_memories, "RECALL_S", 0.01)
    agent_memory = Troubled(blocked=True)
    keeper = MemoryKeeper(agent_memory, "site-a")
    for _ in range(RECALLS):
        with pytest.raises(TemporaryError, match="did not answer within"):
            recalled(keeper, Wanted())
    with pytest.raises(TemporaryError, match=f"{RECALLS} recalls .* are under way"):
        recalled(keeper, Wanted())
    agent_memory.go.set()
    keeper.close()


# Rounds beside it


class RememberingWorld(RecordedWorld):
    """The simulated swarm in virtual time: every record of a round goes on into its site's memory."""

    def __init__(self, agent_memory: AgentMemory | None) -> None:
        self._agent_memory = agent_memory
        self.keepers: list[MemoryKeeper] = []
        super().__init__(3, 7, "none")

    def _new_process(self, site: str) -> Process:
        process = super()._new_process(site)
        recorded = process.member
        assert isinstance(recorded, RecordedMember)
        if self._agent_memory is not None:
            keeper = MemoryKeeper(self._agent_memory, site, lambda _: True)
            self.keepers.append(keeper)
            recorded.recorder._drafts._keep = _both(recorded.kept.append, keeper.round_over)
        return process

    def _rank(self, process: Process, asked: AskVoter) -> tuple[str, ...]:
        told = [identity for keeper in self.keepers for identity in keeper._known]
        assert not [one for one in told if one.startswith(f"test/{asked.fence}/")], "remembered before it is decided"
        return super()._rank(process, asked)


def _both(*tell: Callable[[RoundRecord], None]) -> Callable[[RoundRecord], None]:
    def keep(record: RoundRecord) -> None:
        for one in tell:
            one(record)

    return keep


def records(agent_memory: AgentMemory | None) -> tuple[list[RoundRecord], RememberingWorld]:
    world = RememberingWorld(agent_memory)
    world.run(4)
    return [record for recorded in world.recorded for record in recorded.kept], world


@pytest.mark.parametrize(
    "agent_memory",
    [ProcessMemory(), Troubled(StoreUnavailable("no network")), Troubled(ZeroDivisionError()), Troubled(blocked=True)],
    ids=["fine", "down", "broken", "hanging"],
)
def test_whatever_the_memory_does_rounds_and_their_times_are_the_same(agent_memory: AgentMemory) -> None:
    alone, _ = records(None)
    beside, world = records(agent_memory)
    assert beside == alone
    assert len({record.fence for record in alone}) == 4
    told = [keeper.status.kept + keeper.status.waiting + keeper.status.dropped for keeper in world.keepers]
    assert sum(told) >= 8, "each round's breach and outcome were told"
    for keeper in world.keepers:
        if isinstance(agent_memory, Troubled):
            agent_memory.go.set()
        keeper.close(WAIT_S)
