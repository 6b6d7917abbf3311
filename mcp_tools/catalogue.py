"""The servers by name."""

from mcp_tools import container_ops, inference, memory_sync, metrics_monitor, telemetry
from mcp_tools.tools import ServerSpec

SERVERS: dict[str, ServerSpec] = {
    module.SERVER.name: module.SERVER for module in (metrics_monitor, container_ops, telemetry, inference, memory_sync)
}
