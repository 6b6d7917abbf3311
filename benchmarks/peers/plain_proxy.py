"""The obvious Python gateway: bare ASGI on uvicorn, aiohttp towards the upstreams, least request, nothing else."""

import argparse
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from benchmarks.peers.base import Bench, Launch, Peer, StartError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"host", b"content-length"}


class PlainProxy:
    def __init__(self, upstreams: list[str]) -> None:
        self._in_flight = dict.fromkeys(upstreams, 0)
        self._client: Any = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        # Here, not at the top: the catalogue of peers must load where aiohttp is not installed.
        import aiohttp

        if self._client is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._client = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        body = await _whole_body(receive)
        upstream = min(self._in_flight, key=self._in_flight.__getitem__)
        self._in_flight[upstream] += 1
        try:
            await self._relay(upstream, scope, body, send)
        finally:
            self._in_flight[upstream] -= 1

    async def _relay(self, upstream: str, scope: Message, body: bytes, send: Send) -> None:
        headers = [(k.decode(), v.decode("latin-1")) for k, v in scope["headers"] if k not in _HOP_BY_HOP]
        url = upstream + scope["path"]
        async with self._client.request(scope["method"], url, data=body or None, headers=headers) as response:
            kept = [(k.lower(), v) for k, v in response.raw_headers if k.lower() not in _HOP_BY_HOP]
            await send({"type": "http.response.start", "status": response.status, "headers": kept})
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _prepare(bench: Bench) -> Launch:
    try:
        import aiohttp  # noqa: F401  Only whether it is there.
    except ImportError as missing:
        raise StartError("`aiohttp` is not installed (requirements/bench.lock has it)") from missing
    arguments = ["--port", str(bench.port), "--upstreams", ",".join(bench.upstream_urls())]
    return Launch([sys.executable, "-m", "benchmarks.peers.plain_proxy", *arguments])


PLAIN = Peer("uvicorn+aiohttp", "a plain proxy on uvicorn with the aiohttp client, least request", _prepare)


def main() -> None:
    import uvicorn

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstreams", required=True, help="comma-separated base URLs")
    arguments = parser.parse_args()
    app = PlainProxy(arguments.upstreams.split(","))
    options: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "lifespan": "off", "access_log": False}
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="error", **options)


if __name__ == "__main__":
    main()
