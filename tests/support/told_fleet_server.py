"""`python told_fleet_server.py FILE`: an MCP server over stdio that dies in mid-call while FILE is there."""

import os
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel


class Load(BaseModel):
    slots: int
    demand: float


class Metrics(BaseModel):
    model: str
    loads: dict[str, Load]


DEADLY = Path(sys.argv[1])
server = MCPServer("metrics_monitor", log_level="ERROR")


@server.tool()
def get_fleet_metrics(model: str, sites: list[str], local: bool = False) -> Metrics:
    """The loads of a model, by site."""
    if DEADLY.exists():
        os._exit(9)
    return Metrics(model=model, loads={"a": Load(slots=4, demand=9), "b": Load(slots=4, demand=0.5)})


server.run("stdio")
