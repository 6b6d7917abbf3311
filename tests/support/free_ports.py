"""Ports for a demo of its own: tests run beside each other, and beside whatever else the machine does."""

import socket
from random import SystemRandom

from edgemind.entrypoints.demo.layout import PORTS_USED


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_base_port(sites: int = 3) -> int:
    """A base port whose demo would find every port free. Below the range from which the kernel takes its own."""
    offsets = [
        *range(sites),
        *range(100, 100 + sites),
        *range(200, 200 + sites),
        *range(300, 300 + 2 * sites),
        400,
        500,
    ]
    chosen = SystemRandom()
    for _ in range(100):
        base_port = chosen.randrange(12_000, 32_000 - PORTS_USED)
        if all(_free(base_port + offset) for offset in offsets):
            return base_port
    raise AssertionError("this machine has no free ports for a demo")
