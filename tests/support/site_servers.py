"""The two MCP servers that a voter calls, over the live state of a controller's process: `--tools` of the tests."""

from typing import Any

from mcp.server.mcpserver import MCPServer

from agents.mcp_connection import ServerFactory
from agents.round_brief import load_document
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.voter import VotingPolicy
from edgemind.entrypoints.controller.process import ControllerProcess
from edgemind.services.rounds.loads import KnownLoads


def site_servers(process: ControllerProcess) -> dict[str, ServerFactory]:
    async def get_fleet_metrics(model: str, sites: list[str], local: bool) -> dict[str, Any]:
        """The loads of a model, as this site knows them."""
        controller = process.controller
        known = KnownLoads(controller.own, controller.neighbourhood, VotingPolicy(), SystemClock()).of(model)
        return {"model": model, "loads": {site: load_document(known[site]) for site in sites if site in known}}

    async def get_swarm_state(local: bool, limit: int) -> dict[str, Any]:
        """The swarm, as this site knows it."""
        assert process.rounds is not None
        return {"since_change_ms": process.rounds.driver.since_change_ms()}

    def metrics_monitor() -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("metrics_monitor", log_level="ERROR")
        server.add_tool(get_fleet_metrics)
        return server

    def memory_sync() -> MCPServer[Any]:
        server: MCPServer[Any] = MCPServer("memory_sync", log_level="ERROR")
        server.add_tool(get_swarm_state)
        return server

    return {"metrics_monitor": metrics_monitor, "memory_sync": memory_sync}
