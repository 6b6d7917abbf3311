"""One HTTP request and its answer over bare ASGI: body in, JSON or server-sent events out, no work for the gone."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar

from edgemind.errors import EdgeMindError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]
Result = TypeVar("Result")

MAX_BODY_BYTES = 32 * 1024 * 1024
"""More than any gateway forwards by default, so that it is the gateway's limit that a client meets."""

JSON_TYPE = (b"content-type", b"application/json")
EVENTS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache"))
DONE = b"data: [DONE]\n\n"


class Refused(EdgeMindError):
    """A request this server answers with an error; the message is for whoever sent it."""

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, headers: Sequence[Header] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = headers

    def document(self) -> dict[str, object]:
        """The body, in the shape OpenAI clients read."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "code": self.code, "param": self.param}}


class ClientGone(EdgeMindError):
    """The client hung up: there is nobody to answer."""


class Exchange:
    """One request, and the answer as far as it has been sent."""

    __slots__ = ("_receive", "_send", "scope", "started")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.started = False
        self._receive = receive
        self._send = send

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    def header(self, name: bytes) -> bytes | None:
        headers: Sequence[Header] = self.scope["headers"]
        return next((value for key, value in headers if key == name), None)

    async def body(self, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
        """The whole body. Raises Refused (413) past the limit, ClientGone when it never ends."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone("the client hung up in the middle of its request")
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > limit_bytes:
                # The rest stays unread, so the connection cannot carry another request.
                close = ((b"connection", b"close"),)
                raise Refused(413, f"the body is larger than {limit_bytes} bytes", "body_too_large", headers=close)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def answer(self, status: int, document: Mapping[str, object], headers: Sequence[Header] = ()) -> None:
        body = json.dumps(document).encode()
        length = (b"content-length", b"%d" % len(body))
        await self._start(status, (JSON_TYPE, length, *headers))
        await self._send({"type": "http.response.body", "body": body})

    async def stream(self, chunk: bytes, headers: Sequence[Header] = ()) -> None:
        """Send server-sent events; `headers` count with the first chunk, which is when the answer starts."""
        if not self.started:
            await self._start(200, (*EVENTS, *headers))
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})

    async def unless_gone(self, work: Awaitable[Result]) -> Result:
        """Run `work`, cancelled the moment the client hangs up (then raises ClientGone). Only after `body`."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ClientGone("the client hung up before its answer")
        finally:
            task.cancel()
            gone.cancel()

    async def _start(self, status: int, headers: Sequence[Header]) -> None:
        self.started = True
        await self._send({"type": "http.response.start", "status": status, "headers": headers})


def event(document: Mapping[str, object]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"
