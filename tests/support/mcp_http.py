"""One MCP server over streamable HTTP, in a thread of the test's process."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn

from edgemind.entrypoints.controller.access import Role
from mcp_tools.calls import Session
from mcp_tools.catalogue import SERVERS
from mcp_tools.http_server import guarded_app, sender
from tests.support.mcp_sessions import RULES, in_process, telling_metro


@contextlib.contextmanager
def serving(server: str) -> Iterator[str]:
    """The address of one server's /mcp, in a thread, with the tokens `look` and `act`."""
    group = telling_metro()

    def session(role: Role, token: str) -> Session:
        return Session(role, in_process(group), cure=f"{token} is not enough")

    app = guarded_app(SERVERS[server].build(sender), RULES, session, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, lifespan="on", log_config=None, access_log=False, timeout_graceful_shutdown=1)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            running.should_exit = True
            thread.join()
