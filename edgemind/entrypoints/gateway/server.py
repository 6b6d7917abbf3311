"""uvicorn's server as a gateway runs it: its sockets, its TLS and its date header, our drain and our signals."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import uvicorn
from starlette.applications import Starlette

from edgemind.entrypoints.gateway.protocol import GatewayProtocol
from edgemind.entrypoints.gateway.service import Draining
from edgemind.errors import ConfigurationError


class GatewayServer(uvicorn.Server):
    """uvicorn's server with a drain before its shutdown, and without its signal handling (the worker has its own)."""

    def __init__(
        self, config: uvicorn.Config, draining: Draining, drain_s: Callable[[], float], parent: int | None = None
    ) -> None:
        """`parent` is the process without which this one is to stop: a supervisor that is killed leaves no workers."""
        super().__init__(config)
        self._draining = draining
        self._drain_s = drain_s
        self._parent = parent

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if self._parent is not None and os.getppid() != self._parent:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Go on accepting for the drain time with `Connection: close`, so that clients and balancers move away."""
        self._draining.started = True
        for connection in cast("set[GatewayProtocol]", self.server_state.connections):
            connection.drain()
        await asyncio.sleep(self._drain_s())
        await super().shutdown(sockets)


async def no_asgi(scope: object, receive: object, send: object) -> None:
    """uvicorn wants an application; GatewayProtocol serves requests without one."""


def data_config(tls: tuple[Path, Path] | None) -> uvicorn.Config:
    """uvicorn's part in the data listener: sockets, dates, TLS. Raises ConfigurationError for unusable files."""
    config = uvicorn.Config(
        no_asgi,
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as exc:
        raise ConfigurationError(f"the TLS certificate or key cannot be used: {exc}") from exc
    if config.ssl is not None:
        config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    return config


def admin_config(app: Starlette) -> uvicorn.Config:
    """Of the admin listener."""
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
