"""The agents of a site beside its controller: their connections for as long as it runs, and the voter that it is given.

The library knows neither agents nor tools, and agents and tools do not know each other: `edgemind controller --voter
strands` looks this module up by name, and this module the MCP servers, as `module:function`.
"""

import asyncio
import importlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from agents.ballot_policy import VOTERS_TOOLS
from agents.coordinator import DecisionCoordinator
from agents.lookout import Lookout
from agents.mcp_connection import CallLimits, McpConnection, ServerFactory
from agents.role_agent import CallSink
from agents.roles import CACHE_MANAGER, COORDINATOR, MONITOR, VOTER
from agents.site_voter import StrandsVoter, VoteLimits
from edgemind import bootstrap
from edgemind.domain.agent_memory import Memory
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.votes import ToolCall
from edgemind.entrypoints.controller.process import ControllerProcess
from edgemind.errors import ConfigurationError
from edgemind.ports.clock import Clock
from edgemind.ports.voter import Voter
from edgemind.settings import Settings

log = logging.getLogger("edgemind.agents")


ACTING = (VOTER, MONITOR, CACHE_MANAGER, COORDINATOR)


class Remembering(Protocol):
    def remember(self, memory: Memory) -> bool:
        """Without waiting."""


class AgentsSeat(Protocol):
    """What a controller's process has for its agents."""

    tell_round: Callable[[RoundRecord], None]
    """Who hears of each round that is over."""

    @property
    def memories(self) -> Remembering: ...

    def note(self, call: ToolCall, fence: str | None) -> None:
        """Keep a call for the stream of agents' calls."""


class ControllerLike(Protocol):
    """A controller's process."""

    @property
    def agents(self) -> AgentsSeat: ...

    async def run(self, listener: socket.socket) -> None:
        """Serve until the process is told to stop."""


SiteServers = Callable[[Any], Mapping[str, ServerFactory]]
"""Given the controller's process: its MCP servers by name. They are made when somebody connects, not before."""


class SiteAgents:
    """`voter` can be given to a controller before the servers are known: until they answer, it votes on snapshots."""

    def __init__(
        self, site: str, clock: Clock, calls: CallLimits | None = None, votes: VoteLimits | None = None
    ) -> None:
        self._servers: Mapping[str, ServerFactory] = {}
        wanted = sorted(set().union(*(role.servers for role in ACTING)))
        self._connections = {name: McpConnection(name, self._factory(name), calls) for name in wanted}
        self.voter = StrandsVoter(site, self._connections, clock, votes)
        self.lookout = Lookout(site, self._connections, clock)
        self.coordinator = DecisionCoordinator(self._connections)
        self.voter.sight = self.lookout.sight
        self.lookout.busy = self.coordinator.busy = lambda: self.voter.voting > 0

    def take_seat(self, seat: AgentsSeat) -> None:
        """Every call is kept for the stream, and the coordinator hears of rounds in the place of the memory."""
        told: CallSink = seat.note
        self.voter.told = told
        for agent in (self.lookout.monitor, self.lookout.cache_manager, self.coordinator.agent):
            agent.told = told
        self.coordinator.otherwise = seat.memories.remember
        seat.tell_round = self.coordinator.round_over

    @asynccontextmanager
    async def running(self, servers: Mapping[str, ServerFactory]) -> AsyncIterator[None]:
        """Connected to those of `servers` that the acting roles may call, and connected again when one is lost."""
        self._servers = servers
        tasks = [
            asyncio.create_task(connection.run())
            for name, connection in self._connections.items()
            if name in self._servers
        ]
        tasks += [asyncio.create_task(work) for work in (self._rehearse(), self.lookout.run(), self.coordinator.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def connected(self) -> None:
        """Return when every server that a ballot asks is."""
        asked = {tool.server for tool in VOTERS_TOOLS} & self._servers.keys()
        known = [self._connections[name] for name in asked]
        await asyncio.gather(*(connection.connected() for connection in known))

    async def _rehearse(self) -> None:
        await self.connected()
        await self.voter.rehearse()

    def _factory(self, name: str) -> ServerFactory:
        def server() -> Any:
            # Looked up at each connection: when this is made, there are none yet.
            return self._servers[name]()

        return server


def load_servers(name: str) -> SiteServers:
    """The function that `module:function` names. ConfigurationError says what is wrong with the name."""
    module, colon, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), function) if module and colon and function else None
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"the agents' tools cannot be loaded from {name!r}: {exc}") from exc
    if not callable(found):
        raise ConfigurationError(f"{name!r} names no function: give the agents' tools as module:function")
    servers: SiteServers = found
    return servers


async def run_with_agents(
    make: Callable[[Voter], ControllerLike], agents: SiteAgents, servers: SiteServers, listener: socket.socket
) -> None:
    """The controller that `make` builds around the agents' voter, until it is told to stop; then the agents end."""
    process = make(agents.voter)
    agents.take_seat(process.agents)
    async with agents.running(servers(process)):
        await process.run(listener)


def run_controller(servers: SiteServers, config: Path, settings: Settings, site: str, listener: socket.socket) -> None:
    """Run a site's controller with its agents in this process until it is told to stop."""

    async def main() -> None:
        agents = SiteAgents(site, bootstrap.system_clock())
        await run_with_agents(partial(ControllerProcess, config, settings, site), agents, servers, listener)

    with asyncio.Runner(loop_factory=bootstrap.new_event_loop) as runner:
        runner.run(main())
