"""Small whole requests between a site's processes, on the keep-alive client that the gateway uses for inference."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgemind.errors import UpstreamCut, UpstreamFailed
from edgemind.ports.inference import Upstream


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes


class HttpCalls:
    """One pool of connections per origin; `connect` opens the pool of an origin such as `http://127.0.0.1:8200`."""

    def __init__(self, connect: Callable[[str], Upstream]) -> None:
        self._connect = connect
        self._pools: dict[str, Upstream] = {}

    async def call(
        self, method: str, url: str, *, timeout_s: float, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
    ) -> HttpAnswer:
        """Send one request and read the whole answer within `timeout_s`.

        Raises UpstreamUnreachable if no connection can be had, UpstreamFailed for every other missing answer.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = self._connect(origin)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {target} HTTP/1.1", f"host: {parts.netloc}", "accept: application/json"]
        lines += [f"{name}: {value}" for name, value in headers]
        if method != "GET":
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        try:
            async with asyncio.timeout(timeout_s):
                response = await pool.send(head, body)
                return HttpAnswer(response.status, await response.whole())
        except TimeoutError as exc:
            raise UpstreamFailed(f"{origin} did not answer within {timeout_s * 1000:.0f} ms") from exc
        except UpstreamCut as exc:
            raise UpstreamFailed(str(exc)) from exc

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()
