"""Recorded histories of every swarm store under 16 writers fit an order in which each answer is right.

`./run history` runs these. What is checked is the real store; a store that looks and then writes is found.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.adapters.swarm_store.rules import CONDITIONS, holds
from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.writes import Claim, CurrentWrite, Decide, Genesis, OpenRound
from edgemind.ports.swarm_store import SwarmStore
from tests.support.engines.aws import LocalAws
from tests.support.linearizability import Operation
from tests.support.swarm_histories import UNHEARD, Writer, opened, operations_of, unexplained
from tests.support.swarm_mutants import without
from tests.support.swarm_stores import dynamodb_swarm_store

ROOT = Path(__file__).parents[2]
WRITERS, STEPS = 16, 12
SHOWN = [
    f"{kind.__name__} {name}" for kind in (OpenRound, Decide, Claim) for name in kind.conditions if name != "epoch"
]
"""The conditions that writers in one epoch run into."""

pytestmark = pytest.mark.history


class TwoStepSwarmStore(MemorySwarmStore):
    """Looks whether it may write, and then writes: in between another one does."""

    def __init__(self) -> None:
        super().__init__("test")
        self._lock: Any = nullcontext()

    def _change(self, write: CurrentWrite) -> Applied | Refused:
        current = self._present()
        if not holds(CONDITIONS, write, current):
            return Refused(current)
        time.sleep(0.0005)
        self._current = write.applied(current)
        return Applied()


def by_threads(store: SwarmStore, unheard: float = UNHEARD) -> list[Operation]:
    writers = [Writer(store, f"w{number}", unheard) for number in range(WRITERS)]
    together = Barrier(WRITERS)

    def run(writer: Writer) -> None:
        together.wait()
        writer.run(STEPS)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(run, writers))
    return [operation for writer in writers for operation in writer.operations]


def by_processes(store: str, environment: Mapping[str, str] | None = None) -> list[Operation]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.swarm_histories", store, f"w{number}", str(STEPS)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    printed = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * WRITERS
    return operations_of(line for text in printed for line in text.splitlines())


def says_something(history: Sequence[Operation]) -> bool:
    """Every kind of write was applied and refused, some outcomes are unknown, and operations overlapped."""
    answers = {(each.kind, each.result.partition(" ")[0]) for each in history}
    wanted = {(kind, result) for kind in ("open", "decide", "claim", "vote") for result in ("applied", "refused")}
    ordered = sorted(history, key=lambda each: each.start_ns)
    overlaps = sum(one.end_ns is not None and one.end_ns > other.start_ns for one, other in pairwise(ordered))
    return wanted <= answers and any(each.end_ns is None for each in history) and overlaps >= WRITERS


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """A call in memory takes less than a thread's turn: without shorter turns hardly two would meet."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


def test_threads_on_memory(impatient_threads: None) -> None:
    store = MemorySwarmStore("test")
    store.genesis(Genesis())
    history = by_threads(store)
    assert says_something(history)
    assert unexplained(history) == []


@pytest.mark.parametrize("name", SHOWN)
def test_a_store_without_a_condition_is_found(name: str) -> None:
    store = MemorySwarmStore("test", without(name))
    store.genesis(Genesis())
    # With outcomes unknown it takes long to be sure that there is no order.
    assert "current round" in unexplained(by_threads(store, unheard=0.0))


def test_a_store_that_looks_and_then_writes_is_found(impatient_threads: None) -> None:
    """A few tries, since it needs two writers at once."""
    for _ in range(5):
        store = TwoStepSwarmStore()
        store.genesis(Genesis())
        if "current round" in unexplained(by_threads(store, unheard=0.0)):
            return
    pytest.fail("it was not found in 5 histories")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_processes_on_a_file(tmp_path: Path) -> None:
    opened(str(tmp_path)).genesis(Genesis())
    history = by_processes(str(tmp_path))
    assert says_something(history)
    assert unexplained(history) == []


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["dynamodb_local", "ministack"])
def test_threads_and_processes_on_a_table(request: pytest.FixtureRequest, name: str) -> None:
    engine: LocalAws = request.getfixturevalue(name)
    for kind in ("threads", "processes"):
        table = engine.new_table()
        store = dynamodb_swarm_store(engine, table)
        store.genesis(Genesis())
        history = by_threads(store) if kind == "threads" else by_processes(f"table:{table}", engine.environment())
        assert says_something(history)
        assert unexplained(history) == [], kind
