"""Agents over a real process boundary, and over many rounds."""

import asyncio
import sys
from pathlib import Path

import pytest
from mcp.client.stdio import StdioServerParameters

from agents.mcp_connection import CallLimits
from agents.runtime import SiteAgents
from agents.site_voter import VoteLimits
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad, rank
from edgemind.domain.swarm.votes import View, Vote
from tests.support.mcp_fleet import FleetOfTools

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SERVER = Path(__file__).resolve().parents[1] / "support" / "told_fleet_server.py"
METRICS = "metrics_monitor.get_fleet_metrics"
CANDIDATES = (Candidate(Action.SHIFT, "b", 100, "a", "chat"), KEEP)
SNAPSHOT = View({"a": SiteLoad(4, 1.0), "b": SiteLoad(4, 1.0)})
TOLD = {"a": SiteLoad(4, 9.0), "b": SiteLoad(4, 0.5)}


def test_a_server_that_is_killed_in_the_middle_of_a_call_costs_that_call(tmp_path: Path) -> None:
    deadly = tmp_path / "die"
    command = StdioServerParameters(command=sys.executable, args=[str(SERVER), str(deadly)])

    async def main() -> list[Vote | None]:
        limits = CallLimits(call_ms=20_000, connect_ms=60_000, retry_ms=10)
        agents = SiteAgents("a", SystemClock(), limits, VoteLimits(vote_ms=10_000))
        votes = []
        async with agents.running({"metrics_monitor": lambda: command, "memory_sync": FleetOfTools().memory_sync}):
            await agents.connected()
            votes.append(await agents.voter.vote(Fence(1, 1), CANDIDATES, SNAPSHOT))
            deadly.touch()
            votes.append(await agents.voter.vote(Fence(1, 2), CANDIDATES, SNAPSHOT))
            deadly.unlink()
            async with asyncio.timeout(120):
                await agents.connected()
            votes.append(await agents.voter.vote(Fence(1, 3), CANDIDATES, SNAPSHOT))
        return votes

    before, killed, after = asyncio.run(main())
    assert before is not None
    assert killed is not None
    assert after is not None
    assert before.view.loads == after.view.loads == TOLD
    assert before.ranking == after.ranking == rank(CANDIDATES, TOLD, SNAPSHOT.policy, None)
    assert killed.view.loads == SNAPSHOT.loads
    (failed,) = [call.failed for call in killed.tool_calls if call.tool == METRICS]
    assert failed is not None
    assert failed.startswith(f"{METRICS}: ")
    assert failed.endswith("; the snapshot stands for it")


@pytest.mark.skipif(sys.platform != "linux", reason="platform: the accounting is Linux's")
def test_ten_thousand_ballots_leave_nothing_behind() -> None:
    from benchmarks.memory import growth_ratio
    from benchmarks.voter import measure_ballot_memory

    assert growth_ratio(measure_ballot_memory(10_000, 20, print)) < 0.05
