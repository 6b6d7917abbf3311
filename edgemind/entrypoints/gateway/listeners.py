"""Listening sockets of a gateway: bound once by whoever starts it, inherited by every worker.

Workers share one listening socket. With one socket each (SO_REUSEPORT) the kernel assigns connections to a socket
before they are accepted, and those assigned to a worker that stops are reset.
"""

import errno
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgemind.domain.fleet import Site
from edgemind.errors import ConfigurationError, PermanentError

ADMIN_PORT_OFFSET = 200
"""Where the admin listener is when the site declares none: this far above the gateway's port, on loopback."""
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(listen: str) -> Address:
    """`--listen`. Raises ConfigurationError."""
    parts = urlsplit(f"//{listen}")
    try:
        if parts.hostname and parts.port is not None:
            return Address(parts.hostname, parts.port)
    except ValueError:
        pass
    raise ConfigurationError(f"--listen is {listen!r}; write it as HOST:PORT, such as 127.0.0.1:8200")


def data_address(site: Site, host: str | None, port: int | None) -> Address:
    """Where devices reach this gateway: the flags, else what `gateway:` declares."""
    declared = _address(site.gateway_url) if site.gateway_url else None
    if declared is None and port is None:
        raise ConfigurationError(
            f"site {site.name!r} declares no 'gateway:' address; add one to the configuration or pass --port"
        )
    chosen_host = host or (declared.host if declared else "127.0.0.1")
    return Address(chosen_host, port if port is not None else declared.port if declared else 0)


def admin_address(site: Site, data: Address, worker: int, host: str | None = None) -> Address:
    """Where worker number `worker` answers its operators; port 0 when the data port is left to the system, too.

    `host` replaces the declared one: behind a name that others see, a container listens on all its addresses.
    """
    declared = _address(site.admin_url) if site.admin_url else None
    if declared is None:
        return Address(host or "127.0.0.1", data.port + ADMIN_PORT_OFFSET + worker if data.port else 0)
    return Address(host or declared.host, declared.port + worker)


def bind(address: Address, what: str) -> socket.socket:
    """A listening, inheritable socket. PermanentError says who cannot have the address and what to do."""
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise PermanentError(f"{what}: {address.host!r} is not an address of this machine ({exc.strerror})") from exc
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
    except (OSError, OverflowError) as exc:
        listener.close()
        raise PermanentError(f"{what}: {_why(exc, address)}") from exc
    listener.listen(BACKLOG)
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _why(error: Exception, address: Address) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"{address} is taken by another process; stop it or choose another port"
        case errno.EACCES:
            return f"{address} may not be bound by this user; choose a port above 1023"
        case errno.EADDRNOTAVAIL:
            return f"{address.host} is not an address of this machine; choose one that is"
        case _:
            return f"{address} cannot be bound: {error}"


def _address(url: str) -> Address:
    parts = urlsplit(url)
    return Address(parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80))
