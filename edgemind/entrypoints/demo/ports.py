"""Are the demo's ports free? Asked before anything starts, so that a taken one is named with the flag that helps."""

import errno
import socket

from edgemind.entrypoints.demo.layout import HOST, PORTS_USED, DemoFleet
from edgemind.errors import PermanentError


def check_ports(fleet: DemoFleet, *, page: bool) -> None:
    """Raises PermanentError for the first port that cannot be listened on."""
    for port, user in _wanted(fleet, page):
        try:
            _listen_once(port)
        except OSError as exc:
            why = "is taken by another process" if exc.errno == errno.EADDRINUSE else f"cannot be used ({exc.strerror})"
            instead = f"stop that one, or use other ports: --base-port {_another(fleet.base_port)}"
            raise PermanentError(f"port {port} ({user}) {why}; {instead}") from exc


def _wanted(fleet: DemoFleet, page: bool) -> list[tuple[int, str]]:
    wanted = []
    for site in fleet.sites:
        wanted += [
            (site.gateway_port, f"gateway of {site.name}"),
            (site.controller_port, f"controller of {site.name}"),
            (site.admin_port, f"admin listener of {site.name}"),
            (site.simulated_port, f"simulated models of {site.name}"),
        ]
        if fleet.llama:
            wanted.append((site.llama_port, f"llama.cpp of {site.name}"))
    wanted.append((fleet.cloud_port, "simulated cloud"))
    wanted.append((fleet.control_port, "control of the demo"))
    if page:
        wanted.append((fleet.page_port, "dashboard"))
    return wanted


def _listen_once(port: int) -> None:
    with socket.socket() as listener:
        # As the servers do it: what an earlier run left in TIME_WAIT is no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1)


def _another(base_port: int) -> int:
    higher = base_port + 1000
    return higher if higher + PORTS_USED <= 65536 else base_port - 1000
