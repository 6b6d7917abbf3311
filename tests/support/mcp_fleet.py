"""MCP servers in this process that tell of a fleet, and that fail in the ways that servers fail."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel

from agents.mcp_connection import CallLimits, McpConnection
from agents.round_brief import load_document
from edgemind.domain.swarm.voter import SiteLoad

PATIENT = CallLimits(call_ms=10_000, retry_ms=1)
"""For tests of what is said, not of how long it takes: a busy machine changes nothing."""


class Metrics(BaseModel):
    model: str
    loads: dict[str, Any]


class SwarmState(BaseModel):
    since_change_ms: float | None


@dataclass(slots=True)
class FleetOfTools:
    """What the tools tell. `before` runs before each answer, by tool: it may hang, raise, or kill."""

    loads: Mapping[str, SiteLoad] = field(default_factory=dict)
    since_change_ms: float | None = None
    before: dict[str, Callable[[], Awaitable[Any]]] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    """Instead of the truth, by tool."""
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def metrics_monitor(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("metrics_monitor", log_level="CRITICAL")
        structured = "get_fleet_metrics" not in self.told

        async def get_fleet_metrics(model: str, sites: list[str] | None = None, local: bool = False) -> Any:
            """The loads of a model, by site."""
            await self._asked("get_fleet_metrics", model=model, sites=sites, local=local)
            loads = {site: load_document(load) for site, load in self.loads.items()}
            return self.told.get("get_fleet_metrics", Metrics(model=model, loads=loads))

        get_fleet_metrics.__annotations__["return"] = Metrics if structured else dict[str, Any]
        server.add_tool(get_fleet_metrics)

        async def restart_all() -> str:
            """What no voter may do."""
            await self._asked("restart_all")
            return "done"

        server.add_tool(restart_all)
        return server

    def memory_sync(self) -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("memory_sync", log_level="CRITICAL")
        structured = "get_swarm_state" not in self.told

        async def get_swarm_state(local: bool = False, limit: int = 10) -> Any:
            """The swarm as this site knows it."""
            await self._asked("get_swarm_state", local=local, limit=limit)
            return self.told.get("get_swarm_state", SwarmState(since_change_ms=self.since_change_ms))

        get_swarm_state.__annotations__["return"] = SwarmState if structured else dict[str, Any]
        server.add_tool(get_swarm_state)
        return server

    async def _asked(self, tool: str, **arguments: Any) -> None:
        self.asked.append((tool, arguments))
        if tool in self.before:
            await self.before[tool]()


async def hang() -> None:
    await asyncio.Event().wait()


async def hang_deaf() -> None:
    """It does not go when it is told to, for as long as a test lasts."""
    for _ in range(300):
        try:
            await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            continue


async def hang_in_a_thread() -> None:
    await asyncio.to_thread(time.sleep, 0.2)


@asynccontextmanager
async def connected(fleet: FleetOfTools, limits: CallLimits = PATIENT) -> AsyncIterator[dict[str, McpConnection]]:
    """Connections to both servers, up when the block begins and gone after it."""
    factories = {"metrics_monitor": fleet.metrics_monitor, "memory_sync": fleet.memory_sync}
    connections = {name: McpConnection(name, factory, limits) for name, factory in factories.items()}
    tasks = [asyncio.create_task(connection.run()) for connection in connections.values()]
    try:
        async with asyncio.timeout(30):
            await asyncio.gather(*(connection.connected() for connection in connections.values()))
        yield connections
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
