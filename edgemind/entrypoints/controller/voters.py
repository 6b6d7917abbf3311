"""Who votes for a site in rounds. Agents and their tools are looked up by name: the library imports neither."""

import importlib
import importlib.util
import logging
import socket
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path

from edgemind.errors import ConfigurationError
from edgemind.settings import Settings

AGENTS = "agents.runtime"
TOOLS = "mcp_tools.in_process:site_servers"
"""The MCP servers of a controller, as `module:function`."""

RunController = Callable[[Path, Settings, str, socket.socket], None]

log = logging.getLogger("edgemind.controller")


class VoterKind(StrEnum):
    LIBRARY = "library"
    STRANDS = "strands"
    AUTO = "auto"
    """Strands agents where their packages are installed."""


def controller_runner(kind: VoterKind, tools: str = TOOLS) -> RunController:
    """What runs a controller with that voter until it is told to stop. ConfigurationError if it cannot be had here."""
    if kind is VoterKind.LIBRARY or (kind is VoterKind.AUTO and not agents_installed(tools)):
        from edgemind.entrypoints.controller.process import run_controller

        return run_controller
    try:
        runtime = importlib.import_module(AGENTS)
    except ImportError as exc:
        raise ConfigurationError(
            f"--voter strands needs packages that are not here ({exc}): install the extra, edgemind-mec[agents], or "
            "leave the vote to the library, which ranks alike"
        ) from exc
    run: RunController = partial(runtime.run_controller, runtime.load_servers(tools))
    log.info("a Strands agent votes for this site")
    return run


def agents_installed(tools: str = TOOLS) -> bool:
    """Whether `auto` is agents here."""
    return _installed("strands", "mcp", "agents", tools)


def _installed(*names: str) -> bool:
    return all(importlib.util.find_spec(name.partition(":")[0].partition(".")[0]) is not None for name in names)
