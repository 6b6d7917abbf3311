"""What both model servers share: routes to handlers, and every way a request can end turned into an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from edgemind.entrypoints.model_server.exchange import ClientGone, Exchange, Receive, Refused, Scope, Send
from edgemind.entrypoints.model_server.slots import QueueFull

Handler = Callable[[Exchange], Awaitable[None]]


class Application:
    """An ASGI application. `routes` are exact; `prefixes` end in `/` and are tried after them."""

    def __init__(
        self, routes: Mapping[tuple[str, str], Handler], prefixes: Mapping[str, Handler] | None = None
    ) -> None:
        self._routes = routes
        self._prefixes = prefixes or {}
        self._paths = frozenset(path for _, path in routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._handler(exchange)(exchange)
        except ClientGone:
            return
        except Refused as exc:
            await exchange.answer(exc.status, exc.document(), exc.headers)
        except QueueFull as exc:
            retry = ((b"retry-after", b"%d" % exc.retry_after_s),)
            await exchange.answer(503, Refused(503, f"{exc}; try again later", "queue_full").document(), retry)
        except asyncio.CancelledError:
            # The process ends and this request's grace is over: whoever has seen nothing yet can try elsewhere.
            if not exchange.started:
                refused = Refused(503, "this model server is stopping; try another", "stopping")
                await exchange.answer(503, refused.document(), ((b"connection", b"close"),))

    def _handler(self, exchange: Exchange) -> Handler:
        """Raises Refused: 404 for an unknown path, 405 for a known one with another method."""
        path = exchange.path
        handler = self._routes.get((exchange.method, path))
        if handler is not None:
            return handler
        if path in self._paths:
            raise Refused(405, f"{path} does not take {exchange.method}", "method_not_allowed")
        for prefix, prefixed in self._prefixes.items():
            if path.startswith(prefix):
                return prefixed
        raise Refused(404, f"there is nothing at {path[:200]}", "not_found")


def unknown_model(name: str, known: str) -> Refused:
    return Refused(404, f"no model {name[:200]!r} on this server; there are: {known}", "model_not_found", "model")
