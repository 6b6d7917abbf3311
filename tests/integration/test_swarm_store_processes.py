"""The swarm's file under many processes: every write that may succeed once does, and does so once."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from edgemind.adapters.swarm_store.json_file import JsonFileSwarmStore
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.writes import Genesis

ROOT = Path(__file__).parents[2]
PROCESSES, ROUNDS = 6, 12


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_of_many_processes_one_opens_one_decides_and_one_claims(tmp_path: Path) -> None:
    store = JsonFileSwarmStore(tmp_path, "test")
    store.genesis(Genesis())
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.swarm_processes", str(tmp_path), f"site-{number}", str(ROUNDS)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    won = Counter(line for racer in racers for line in racer.communicate()[0].splitlines())
    assert [racer.returncode for racer in racers] == [0] * PROCESSES
    for number in range(1, ROUNDS + 1):
        assert [won[f"{what} {number}"] for what in ("open", "decide", "claim")] == [1, 1, 1]
        assert len(store.read_ballots(Fence(1, number))) == PROCESSES
    assert store.read_current().fence == Fence(1, ROUNDS)
    joined = {f"site-{racer}-{number}" for racer in range(PROCESSES) for number in range(1, ROUNDS + 1)}
    assert store.read_roster().version == len(joined)
    assert set(store.read_roster().sites) == joined
