"""One event loop with connected servers for the tests of a module: connecting costs more than a ballot."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agents.mcp_connection import McpConnection
from agents.policy_model import Policy, PolicyModel
from agents.site_voter import StrandsVoter, VoteLimits
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.swarm.votes import View, Vote
from tests.support.mcp_fleet import FleetOfTools, connected

FENCE = Fence(1, 17)
CANDIDATES = (Candidate(Action.SHIFT, "b", 50, "a", "chat"), Candidate(Action.SCALE_OUT, "a", 3, "", "chat"), KEEP)
TRUTH = {"a": SiteLoad(4, 9.0, 2), "b": SiteLoad(4, 0.5, 2), "c": SiteLoad(4, 3.0, 2)}
SNAPSHOT = View({"a": SiteLoad(4, 4.0, 2), "b": SiteLoad(4, 4.0, 2), "c": SiteLoad(4, 4.0, 2)}, since_change_ms=60_000)
PATIENT = VoteLimits(vote_ms=10_000)


@dataclass(slots=True)
class Booth:
    runner: asyncio.Runner
    fleet: FleetOfTools
    connections: dict[str, McpConnection]

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def voter(self, policy: Policy | None = None, limits: VoteLimits = PATIENT) -> StrandsVoter:
        model = PolicyModel(policy) if policy is not None else None
        return StrandsVoter("a", self.connections, SystemClock(), limits, model)

    def vote(self, policy: Policy | None = None, limits: VoteLimits = PATIENT, view: View = SNAPSHOT) -> Vote | None:
        vote: Vote | None = self.run(self.voter(policy, limits).vote(FENCE, CANDIDATES, view))
        return vote


@pytest.fixture(scope="module")
def hall() -> Iterator[Booth]:
    fleet = FleetOfTools()
    with asyncio.Runner() as runner:
        entered = connected(fleet)
        connections = runner.run(entered.__aenter__())
        yield Booth(runner, fleet, connections)
        runner.run(entered.__aexit__(None, None, None))


@pytest.fixture
def booth(hall: Booth) -> Iterator[Booth]:
    """The fleet tells the truth, and nothing fails, until a test says otherwise."""
    fleet = hall.fleet
    fleet.loads, fleet.since_change_ms = TRUTH, None
    fleet.before.clear()
    fleet.told.clear()
    fleet.asked.clear()
    yield hall
    fleet.before.clear()
