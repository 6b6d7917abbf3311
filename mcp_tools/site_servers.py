"""The servers of one site, in its controller's process: what the site's own agents call."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mcp.server.mcpserver import MCPServer

from edgemind import bootstrap
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.controller.process import ControllerProcess
from mcp_tools.calls import Session, one_caller
from mcp_tools.catalogue import SERVERS
from mcp_tools.in_process import FleetInProcess, OwnRounds


def site_servers(process: ControllerProcess) -> Mapping[str, Callable[[], MCPServer[Any]]]:
    """What makes each server, by name. A site may do what an operator may; its agents' roles say what each may call."""
    fleet = FleetInProcess(lambda: process.controller, partial(_own_rounds, process), bootstrap.system_clock())
    sessions = one_caller(Session(Role.OPERATOR, fleet))
    return {name: partial(spec.build, sessions) for name, spec in SERVERS.items()}


def _own_rounds(process: ControllerProcess) -> OwnRounds:
    rounds = process.rounds
    if rounds is None:
        return OwnRounds(Thresholds())
    return OwnRounds(rounds.rules.thresholds, rounds.driver.since_change_ms())
