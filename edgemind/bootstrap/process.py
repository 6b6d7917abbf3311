"""What every process has: a clock and an event loop."""

import asyncio
import socket
from typing import Any

import uvloop

from edgemind.adapters.clock import SystemClock
from edgemind.ports.clock import Clock


def system_clock() -> Clock:
    return SystemClock()


def new_event_loop() -> asyncio.AbstractEventLoop:
    loop = uvloop.new_event_loop()
    loop.set_exception_handler(_on_loop_error)
    return loop


def _on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # uvloop leaves behind a look-up that outlives the time to connect. Whoever connected has been told; while a network
    # is cut, this would fill the log.
    if not isinstance(context.get("exception"), socket.gaierror):
        loop.default_exception_handler(context)
