"""One server over streamable HTTP: bearer tokens are the fleet's own, and each caller's goes on to the fleet."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.types import INVALID_REQUEST
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from edgemind.entrypoints.controller.access import AccessRules, Credentials, Role
from edgemind.entrypoints.controller.answers import ApiRefusal, json_response
from mcp_tools.calls import Session

BODY_LIMIT_BYTES = 256 * 1024
CONNECTIONS_LIMIT = 256
GRACE_S = 2
_SESSION = "edgemind.session"


def sender(request: Any) -> Session:
    """Who sent the HTTP request that a call came with. LookupError if it came around the door."""
    if request is None:
        raise LookupError("it came without an HTTP request")
    session: Session = request.scope[_SESSION]
    return session


class BearerDoor:
    """Nothing passes without a token of the fleet: 401 says what to send. What a role may do, each tool decides."""

    def __init__(self, app: ASGIApp, access: AccessRules, session: Callable[[Role, str], Session]) -> None:
        self._app = app
        self._access = access
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        authorization = Headers(scope=scope).get("authorization")
        # `forwarded`: where a request comes from counts for nothing here, only its token does.
        shown = Credentials(authorization, None, None, None, forwarded=True)
        try:
            role = self._access.caller(shown).role
        except ApiRefusal as refusal:
            await _refused(refusal)(scope, receive, send)
            return
        token = (authorization or "").partition(" ")[2].strip()
        await self._app({**scope, _SESSION: self._session(role, token)}, receive, send)


def _refused(refusal: ApiRefusal) -> Response:
    """As JSON-RPC has errors: of any other body clients tell their users nothing but that there was an error."""
    error = {"code": INVALID_REQUEST, "message": f"{refusal.status}: {refusal.message}", "data": {"code": refusal.code}}
    headers = {"www-authenticate": "Bearer"} if refusal.status == 401 else None
    return json_response({"jsonrpc": "2.0", "id": None, "error": error}, refusal.status, headers)


def guarded_app(
    server: MCPServer[Any], access: AccessRules, session: Callable[[Role, str], Session], host: str
) -> ASGIApp:
    """`server` has to be built with `sender`. Stateless: a client goes on after a restart as if there was none."""
    inner = server.streamable_http_app(stateless_http=True, max_request_body_size=BODY_LIMIT_BYTES, host=host)
    return BearerDoor(inner, access, session)


class _Server(uvicorn.Server):
    """Ends with exit code 0 at SIGTERM; uvicorn's own handling would end the process by the signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=CONNECTIONS_LIMIT,
    )
    server = _Server(config)

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
