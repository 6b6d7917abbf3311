"""An ASGI application served for real, in a thread, on a port of the system's choice."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from edgemind.entrypoints.controller.tls_identity import listen_with


@contextlib.contextmanager
def served(app: Any, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address while it serves, with TLS as a controller does if there is a context; all is closed at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        if tls is not None:
            listen_with(config, tls)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            # The socket listens already: what connects before the server runs is served when it does.
            yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def free_ports(count: int) -> list[int]:
    """Different ports nobody listens on now."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(listener.getsockname()[1]) for listener in listeners]


def free_port() -> int:
    return free_ports(1)[0]
