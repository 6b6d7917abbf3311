"""A keep-alive HTTP/1.1 client for one origin: the gateway's way to model servers, neighbours and the cloud tier.

General clients cost several times the whole gateway per request. This one parses with httptools, tells its sink inside
the read callback, and holds no timer per request: `sweep` enforces the time limits of every connection at once.
"""

import asyncio
import ssl
from urllib.parse import urlsplit

from edgemind.adapters.inference.awaited import AwaitedAnswer
from edgemind.adapters.inference.connection import ClientLimits, Connection, Request
from edgemind.errors import UpstreamFailed, UpstreamUnreachable
from edgemind.ports.inference import AnswerSink


class KeepAlivePool:
    """Connections to one origin (`http://host:port`); the newest idle one is used first.

    `tls` is for an https origin of the fleet; others are held to what this machine trusts.
    """

    def __init__(
        self, base_url: str, limits: ClientLimits, loop: asyncio.AbstractEventLoop, tls: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(base_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.limits = limits
        self.loop = loop
        self._host = parts.hostname or ""
        self._ssl = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._closed = False

    def request(self, head: bytes, body: bytes, sink: AnswerSink) -> Request:
        """Send at once on an idle connection, else on a new one."""
        request = Request(self, head, body, sink)
        self.dispatch(request)
        return request

    async def send(self, head: bytes, body: bytes) -> AwaitedAnswer:
        """Send and wait for the first body byte. Raises UpstreamUnreachable or UpstreamFailed."""
        answer = AwaitedAnswer(self.loop)
        pending = self.request(head, body, answer)
        await answer.begun(pending)
        return answer

    def dispatch(self, request: Request) -> None:
        if self._idle:
            self._idle.pop().start(request)
        else:
            self.connect(request)

    def connect(self, request: Request) -> None:
        """Send on a new connection, as soon as there is one."""
        task = self.loop.create_task(self._connect(request))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def release(self, connection: Connection, *, reusable: bool) -> None:
        if reusable and not self._closed:
            connection.rest()
            self._idle.append(connection)
        else:
            connection.close()

    def forget(self, connection: Connection) -> None:
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self) -> None:
        """Enforce the time limits; called about once a second."""
        now_s = self.loop.time()
        for connection in list(self._all):
            connection.check(now_s)

    async def close(self) -> None:
        self._closed = True
        for connection in list(self._idle):
            connection.close()

    async def _connect(self, request: Request) -> None:
        try:
            connection = await self._new_connection()
        except UpstreamFailed as exc:
            request.failed(exc, reused=False)
            return
        if request.cancelled:
            connection.close()
        else:
            connection.start(request)

    async def _new_connection(self) -> Connection:
        if len(self._all) + len(self._connecting) > self.limits.max_connections:
            raise UpstreamFailed(f"all {self.limits.max_connections} connections are in use")
        connection = Connection(self)
        try:
            # Not wait_for: in Python 3.11 it can swallow a cancellation that comes as the connection fails.
            async with asyncio.timeout(self.limits.connect_s):
                await self.loop.create_connection(lambda: connection, self._host, self._port, ssl=self._ssl)
        except (OSError, TimeoutError) as exc:
            reason = str(exc) or f"no connection within {self.limits.connect_s:g} s"
            raise UpstreamUnreachable(f"{self.origin} cannot be reached: {reason}") from exc
        self._all.add(connection)
        return connection
