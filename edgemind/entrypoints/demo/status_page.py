"""How the dashboard is started: Streamlit in a process of its own, with what it may do spelled out."""

import sys
from pathlib import Path

from edgemind.entrypoints.demo.layout import HOST

FLAGS = (
    # Also in the page's own configuration, for who starts it by hand; here so that no other file can undo it: nobody
    # edits the page while it runs, no browser opens by itself, and no statistics leave this machine.
    ("--server.headless", "true"),
    ("--server.fileWatcherType", "none"),
    ("--browser.gatherUsageStats", "false"),
    # Streamlit takes itself for a checkout of its own when it is not in a folder called site-packages.
    ("--global.developmentMode", "false"),
    # A web page whose name is made to resolve to this machine must not read the fleet through the reader's browser.
    ("--server.allowedHosts", "localhost"),
    ("--server.allowedHosts", HOST),
)


def status_page_arguments(script: Path, port: int) -> tuple[str, ...]:
    """What follows `python -m streamlit`. The fleet comes by the environment, or is `.edgemind/fleet.json`'s."""
    flags = (("--server.address", HOST), ("--server.port", str(port)), *FLAGS)
    return ("run", str(script), *(word for flag in flags for word in flag))


def status_page_command(script: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "streamlit", *status_page_arguments(script, port)]
