"""A site's Strands voter over the real servers and the real services: what it votes on is what the fleet knows."""

import asyncio
from functools import partial
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer

from agents.mcp_connection import CallLimits, McpConnection
from agents.site_voter import StrandsVoter, VoteLimits
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, rank
from edgemind.domain.swarm.votes import View, Vote
from mcp_tools.calls import one_caller
from mcp_tools.catalogue import SERVERS
from tests.support.controllers import Metro
from tests.support.mcp_sessions import in_process, telling_metro, viewer

CANDIDATES = (
    Candidate(Action.SHIFT, "site-b", 100, "site-a", "detector"),
    Candidate(Action.SHIFT, "site-c", 50, "site-a", "detector"),
    KEEP,
)
KNOWN = {name: SiteLoad(4, 3.0) for name in ("site-a", "site-b", "site-c")}
OLD = {name: SiteLoad(4, 0.0) for name in KNOWN}


@pytest.fixture
def group() -> Metro:
    return telling_metro()


def vote_over(group: Metro, *servers: str) -> Vote | None:
    def built(name: str) -> MCPServer[Any]:
        return SERVERS[name].build(one_caller(viewer(in_process(group))))

    patient = CallLimits(call_ms=20_000.0)
    connections = {name: McpConnection(name, partial(built, name), patient) for name in servers}

    async def main() -> Vote | None:
        tasks = [asyncio.create_task(connection.run()) for connection in connections.values()]
        await asyncio.gather(*(connection.connected() for connection in connections.values()))
        voter = StrandsVoter("site-a", connections, SystemClock(), VoteLimits(vote_ms=10_000.0))
        vote = await voter.vote(Fence(1, 4), CANDIDATES, View(OLD, VotingPolicy(), None))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return vote

    return asyncio.run(main())


def test_a_ballot_rests_on_what_the_servers_tell(group: Metro) -> None:
    # No site but its own can be asked in a round: what they told before is enough.
    group.running.clear()
    vote = vote_over(group, "metrics_monitor", "memory_sync")
    assert vote is not None
    assert {call.tool: call.failed for call in vote.tool_calls} == {
        "metrics_monitor.get_fleet_metrics": None,
        "memory_sync.get_swarm_state": None,
    }
    assert (vote.view.loads, vote.view.since_change_ms) == (KNOWN, 1234.5)
    assert vote.ranking == rank(CANDIDATES, KNOWN, VotingPolicy(), 1234.5)


def test_without_the_servers_it_rests_on_the_snapshot(group: Metro) -> None:
    vote = vote_over(group)
    assert vote is not None
    assert (vote.view.loads, vote.view.since_change_ms) == (OLD, None)
