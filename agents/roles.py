"""Who the agents of a site are. A role is data: its prompt, and the tools it may call, by MCP server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

PROMPTS = Path(__file__).parent / "prompts"


@dataclass(frozen=True, slots=True)
class ToolName:
    """A tool of an MCP server. Agents know it as `agent_name`, since two servers may name a tool alike."""

    server: str
    tool: str

    def __str__(self) -> str:
        return f"{self.server}.{self.tool}"

    @property
    def agent_name(self) -> str:
        return f"{self.server}_{self.tool}"


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    tools: frozenset[ToolName]

    def prompt(self) -> str:
        """What the agent is told it is. OSError if the installation lacks the file."""
        return (PROMPTS / f"{self.name}.md").read_text(encoding="utf-8")

    @property
    def servers(self) -> frozenset[str]:
        return frozenset(tool.server for tool in self.tools)

    def named(self, agent_name: str) -> ToolName | None:
        """The tool that the role may call under this name."""
        return next((tool for tool in self.tools if tool.agent_name == agent_name), None)


GET_FLEET_METRICS = ToolName("metrics_monitor", "get_fleet_metrics")
GET_SWARM_STATE = ToolName("memory_sync", "get_swarm_state")
CHECK_THRESHOLDS = ToolName("metrics_monitor", "check_thresholds")
LIST_MODELS = ToolName("inference", "list_models")
REMEMBER = ToolName("memory_sync", "remember")
LOG_EVENT = ToolName("telemetry", "log_event")

_METRICS = "get_site_metrics get_fleet_metrics check_thresholds get_site_health"
# What changes a fleet is named tool by tool: a server that learns to do more does not let a role do more.
_TABLE: Mapping[str, Mapping[str, str]] = {
    "orchestrator": {
        "metrics_monitor": _METRICS,
        "container_ops": "scale_model drain_site get_scaling_status",
        "telemetry": "log_event query_journal",
        "memory_sync": "open_round get_round get_swarm_state",
    },
    "resource_monitor": {
        "metrics_monitor": _METRICS,
        "telemetry": "log_event query_journal export_metrics",
        "memory_sync": "get_swarm_state remember recall",
    },
    "load_balancer": {
        "metrics_monitor": _METRICS,
        "container_ops": "get_scaling_status",
        "memory_sync": "get_round get_swarm_state recall",
    },
    "cache_manager": {
        "inference": "list_models get_cache_status",
        "telemetry": "log_event query_journal",
        "memory_sync": "get_swarm_state recall",
    },
    "decision_coordinator": {
        "memory_sync": "get_round get_swarm_state remember recall",
        "telemetry": "log_event query_journal",
        "metrics_monitor": _METRICS,
    },
}


def _role(name: str, servers: Mapping[str, str]) -> Role:
    return Role(name, frozenset(ToolName(server, tool) for server, tools in servers.items() for tool in tools.split()))


ROLES: Mapping[str, Role] = MappingProxyType({name: _role(name, servers) for name, servers in _TABLE.items()})
VOTER = ROLES["load_balancer"]
"""The one that ranks a round's candidates."""
MONITOR, CACHE_MANAGER = ROLES["resource_monitor"], ROLES["cache_manager"]
COORDINATOR = ROLES["decision_coordinator"]
