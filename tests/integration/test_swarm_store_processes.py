"""The swarm's stores under many processes: every write that may succeed once does, and does so once."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.writes import Genesis
from edgemind.ports.swarm_store import SwarmStore
from tests.support.engines.aws import LocalAws
from tests.support.swarm_histories import opened
from tests.support.swarm_stores import dynamodb_swarm_store

ROOT = Path(__file__).parents[2]
PROCESSES, ROUNDS = 16, 6


def nothing_is_lost(where: str, store: SwarmStore, environment: Mapping[str, str] | None = None) -> None:
    """PROCESSES race for ROUNDS rounds of the store at `where`, which `store` reads afterwards."""
    store.genesis(Genesis())
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.swarm_processes", where, f"site-{number}", str(ROUNDS)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    won = Counter(line for racer in racers for line in racer.communicate(timeout=200)[0].splitlines())
    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    for number in range(1, ROUNDS + 1):
        assert [won[f"{what} {number}"] for what in ("open", "decide", "claim")] == [1, 1, 1]
        assert len(store.read_ballots(Fence(1, number))) == PROCESSES
    assert store.read_current().fence == Fence(1, ROUNDS)
    roster = store.read_roster()
    joined = {f"site-{process}-{number}" for process in range(PROCESSES) for number in range(1, ROUNDS + 1)}
    assert (roster.version, set(roster.sites)) == (PROCESSES * ROUNDS, joined)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_of_many_processes_one_opens_one_decides_and_one_claims(tmp_path: Path) -> None:
    nothing_is_lost(str(tmp_path), opened(str(tmp_path)))


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["dynamodb_local", "ministack"])
def test_on_a_table_too(request: pytest.FixtureRequest, name: str) -> None:
    engine: LocalAws = request.getfixturevalue(name)
    table = engine.new_table()
    nothing_is_lost(f"table:{table}", dynamodb_swarm_store(engine, table), engine.environment())
