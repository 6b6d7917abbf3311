"""A network that is cut says nothing. Without these, whoever waits for it waits for the time limit of an answer."""

import asyncio
import socket

UNACKNOWLEDGED_MS = 2000
"""A connection whose other end has acknowledged nothing for so long is given up."""
PROBE_EVERY_S = 1
"""Its other end is asked to acknowledge when nothing has been heard for so long: an answer may be long in coming."""

# By name, for not every system has them all; it then waits longer.
_OPTIONS = (
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", PROBE_EVERY_S),
    ("IPPROTO_TCP", "TCP_KEEPINTVL", PROBE_EVERY_S),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS),
)


def notice_dead_paths(transport: asyncio.BaseTransport) -> None:
    """Set it up for a TCP connection. The kernel acknowledges: a process that is busy or stopped loses nothing."""
    end = transport.get_extra_info("socket")
    if end is None:
        return
    for level, option, value in _OPTIONS:
        if hasattr(socket, option):
            end.setsockopt(getattr(socket, level), getattr(socket, option), value)
