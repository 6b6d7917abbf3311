"""The connection pools of one process, one per origin, made when first used and swept together."""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from edgemind.adapters.inference.connection import ClientLimits
from edgemind.adapters.inference.keepalive import KeepAlivePool

SWEEP_EVERY_S = 0.5


class UpstreamPools:
    """`tls` holds the contexts of origins that have one of their own."""

    def __init__(self, limits: ClientLimits, tls: Mapping[str, ssl.SSLContext] | None = None) -> None:
        self._limits = limits
        self._tls = tls or {}
        self._by_url: dict[str, KeepAlivePool] = {}
        self._by_origin: dict[str, KeepAlivePool] = {}

    def __call__(self, base_url: str) -> KeepAlivePool:
        """The pool for a base URL; URLs of one origin share it."""
        pool = self._by_url.get(base_url)
        if pool is None:
            parts = urlsplit(base_url)
            origin = f"{parts.scheme}://{parts.netloc}"
            pool = self._by_origin.get(origin)
            if pool is None:
                loop, tls = asyncio.get_running_loop(), self._tls.get(origin)
                pool = self._by_origin[origin] = KeepAlivePool(base_url, self._limits, loop, tls)
            self._by_url[base_url] = pool
        return pool

    def use_limits(self, limits: ClientLimits) -> None:
        """From the next request on, on every connection."""
        self._limits = limits
        for pool in self._by_origin.values():
            pool.limits = limits

    def use_tls(self, tls: Mapping[str, ssl.SSLContext]) -> None:
        """For origins that are first asked from now on."""
        self._tls = tls

    async def run(self) -> None:
        """Enforce the time limits of all connections until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            for pool in list(self._by_origin.values()):
                pool.sweep()

    async def close(self) -> None:
        for pool in self._by_origin.values():
            await pool.close()
