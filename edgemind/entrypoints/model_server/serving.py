"""From an ASGI application to a process that listens: sockets first, signals last, gone soon after SIGTERM."""

import asyncio
import contextlib
import errno
import math
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn

from edgemind.entrypoints.model_server.exchange import Receive, Scope, Send
from edgemind.errors import ConfigurationError

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Address = tuple[str, int]

BACKLOG = 1024
GRACE_S = 1
"""How long running requests may go on after SIGTERM, unless a server says otherwise."""
IDLE_S = 75
"""Longer than gateways keep an idle connection: were it shorter, requests would meet a socket that is just closing."""


def reserve(addresses: Sequence[Address]) -> list[socket.socket]:
    """Bind every address without listening yet: a taken port shows before a model is loaded, a client is never left
    waiting for one that loads. Raises ConfigurationError with the address and what to do."""
    sockets: list[socket.socket] = []
    for host, port in addresses:
        try:
            sockets.append(_bind(host, port))
        except OSError as exc:
            for bound in sockets:
                bound.close()
            raise _unbound(host, port, exc) from exc
    return sockets


def serve(app: App, sockets: Sequence[socket.socket], on_ready: Callable[[], None], grace_s: float = GRACE_S) -> None:
    """Serve until SIGTERM or SIGINT; `on_ready` is called, in the loop, once connections are accepted.

    Requests under way then have `grace_s` to end. Raises ConfigurationError.
    """
    config = uvicorn.Config(
        app, http="httptools", loop="uvloop", ws="none", lifespan="off", interface="asgi3", log_config=None,
        log_level="warning", access_log=False, server_header=False, date_header=False, timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=math.ceil(grace_s), backlog=BACKLOG,
    )  # fmt: skip
    for bound in sockets:
        _listen(bound)
    _Server(config, on_ready).run(sockets=list(sockets))


class _Server(uvicorn.Server):
    """uvicorn raises the signal it caught once more; a server that was asked to stop, and did, ends with code 0."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for caught in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(caught, self.handle_exit, caught, None)
        yield


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait for the old connections' TIME_WAIT.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _listen(bound: socket.socket) -> None:
    """Two processes may have bound a port, and only listening tells. Not left to uvloop: it drops the error."""
    try:
        bound.listen(BACKLOG)
    except OSError as exc:
        host, port = bound.getsockname()[:2]
        raise _unbound(host, port, exc) from exc


def _unbound(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(
            f"port {port} on {host} is taken by another process; stop that one or change base_url in the configuration"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigurationError(f"this user may not listen on port {port} of {host}; use a port from 1024 up")
    reason = error.strerror or str(error)
    return ConfigurationError(f"cannot listen on {host}:{port} ({reason}); is that an address of this machine?")
