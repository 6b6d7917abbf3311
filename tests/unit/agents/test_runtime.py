"""The agents of a site start and end with its controller."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from agents.coordinator import DecisionCoordinator
from agents.mcp_connection import CallLimits, ServerFactory
from agents.runtime import SiteAgents, load_servers, run_with_agents
from agents.site_voter import VoteLimits
from edgemind.adapters.agent_memory.local import ProcessMemory
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.votes import ToolCall, Vote
from edgemind.errors import ConfigurationError
from edgemind.ports.voter import Voter
from tests.support.mcp_fleet import FleetOfTools
from tests.unit.agents.conftest import CANDIDATES, FENCE, SNAPSHOT, TRUTH

PATIENT = (CallLimits(call_ms=10_000, retry_ms=1), VoteLimits(vote_ms=10_000))


class Seat:
    """What a controller has for agents."""

    def __init__(self) -> None:
        self.memories = ProcessMemory()
        self.calls: list[tuple[str, str | None]] = []
        self.tell_round: Callable[[RoundRecord], Any] = print

    def note(self, call: ToolCall, fence: str | None) -> None:
        self.calls.append((call.tool, fence))


class Controller:
    """Votes once before its servers answer and once after, as a controller may, and then has been told to stop."""

    def __init__(self, voter: Voter) -> None:
        self.voter = voter
        self.agents: Any = Seat()
        self.site_agents: SiteAgents | None = None
        self.votes: list[Vote | None] = []

    async def run(self, listener: socket.socket) -> None:
        assert self.site_agents is not None
        self.votes.append(await self.voter.vote(FENCE, CANDIDATES, SNAPSHOT))
        async with asyncio.timeout(30):
            await self.site_agents.connected()
        self.votes.append(await self.voter.vote(FENCE, CANDIDATES, SNAPSHOT))


def test_the_controllers_voter_is_the_agents_and_asks_the_controllers_servers() -> None:
    fleet = FleetOfTools(TRUTH)
    made: list[Controller] = []

    def servers(process: Any) -> Mapping[str, ServerFactory]:
        assert process is made[0]
        return {"metrics_monitor": fleet.metrics_monitor, "memory_sync": fleet.memory_sync, "telemetry": dict}

    async def main() -> None:
        agents = SiteAgents("a", SystemClock(), *PATIENT)

        def make(voter: Voter) -> Controller:
            made.append(Controller(voter))
            made[0].site_agents = agents
            return made[0]

        with socket.socket() as listener:
            await run_with_agents(make, agents, servers, listener)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    asyncio.run(main())
    before, after = made[0].votes
    assert before is not None
    assert before.view == SNAPSHOT
    assert {call.failed for call in before.tool_calls if call.failed} == {
        f"{tool}: it is not connected yet; the snapshot stands for it"
        for tool in ("metrics_monitor.get_fleet_metrics", "memory_sync.get_swarm_state")
    }
    assert after is not None
    assert after.view.loads == TRUTH
    # Both ballots' calls are in the stream, the failed ones with them, and a rehearsal's are not.
    told = made[0].agents.calls
    assert sorted(told) == sorted([(call.tool, str(FENCE)) for vote in (before, after) for call in vote.tool_calls])
    assert made[0].agents.tell_round.__self__.__class__ is DecisionCoordinator


def test_a_server_that_the_fleet_lacks_is_named_in_the_ballot() -> None:
    async def main() -> Vote | None:
        agents = SiteAgents("a", SystemClock(), *PATIENT)
        async with agents.running({"metrics_monitor": FleetOfTools(TRUTH).metrics_monitor}):
            await agents.connected()
            return await agents.voter.vote(FENCE, CANDIDATES, SNAPSHOT)

    vote = asyncio.run(main())
    assert vote is not None
    assert vote.view.loads == TRUTH
    assert [call.tool for call in vote.tool_calls if call.failed] == ["memory_sync.get_swarm_state"]


def test_servers_are_named_as_module_and_function() -> None:
    assert load_servers("tests.support.mcp_fleet:connected").__name__ == "connected"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tests.support.mcp_fleet", "names no function"),
        ("tests.support.mcp_fleet:", "names no function"),
        ("tests.support.mcp_fleet:PATIENT", "names no function"),
        ("tests.support.absent:servers", "No module named 'tests.support.absent'"),
        ("tests.support.mcp_fleet:servers", "has no attribute 'servers'"),
    ],
)
def test_a_name_that_leads_nowhere_says_why(name: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        load_servers(name)
