"""Where the demo takes orders: scenarios, over HTTP on this machine only, from who has the token of this run.

Not part of the fleet API: a scenario is about the demo's own devices and processes, and no other fleet has one.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from hmac import compare_digest

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edgemind.entrypoints.demo.layout import HOST
from edgemind.entrypoints.demo.stage import ScenarioImpossible, Stage

PATH = "/edgemind/v1/scenarios"
BODY_BYTES = 4096


def control_app(stage: Stage, token: str) -> Starlette:
    """GET tells what plays; POST {"name": ...} starts another scenario."""

    async def tell(_: Request) -> Response:
        return JSONResponse(stage.document())

    async def start(request: Request) -> Response:
        name = await _asked_name(request)
        if name is None:
            return _refused(400, 'send {"name": "flash-crowd"}, with the name of a scenario')
        try:
            stage.start(name)
        except ScenarioImpossible as exc:
            return _refused(409, str(exc))
        return JSONResponse(stage.document())

    def known(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not compare_digest(sent.encode("utf-8", "replace"), token.encode()):
                return _refused(401, "send the token under `control` in .edgemind/fleet.json")
            return await endpoint(request)

        return checked

    routes = [Route(PATH, known(tell), methods=["GET"]), Route(PATH, known(start), methods=["POST"])]
    return Starlette(routes=routes)


@contextlib.asynccontextmanager
async def serving(app: Starlette, port: int) -> AsyncIterator[None]:
    """Serves on this machine for as long as the block lasts."""
    config = uvicorn.Config(
        app, host=HOST, port=port, ws="none", lifespan="off", log_config=None, access_log=False,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.ensure_future(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([task])


class _Server(uvicorn.Server):
    """Ctrl-C is the demo's affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _asked_name(request: Request) -> str | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    try:
        document = json.loads(body)
    except ValueError:
        return None
    name = document.get("name") if isinstance(document, dict) else None
    return name if isinstance(name, str) else None


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"message": message, "code": "refused"}}, status)
