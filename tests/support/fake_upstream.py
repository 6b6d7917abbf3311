"""Model servers that do what a request tells them to (answer, stream, die, hang, flood) and remember what reached them.

Instructions ride in the request itself, because the gateway forwards bodies as they are: the field `fake` maps the name
of an upstream, or `*`, to what it does with this request (see `Script`); `marker` names the request for whoever asks
later.
"""

import asyncio
import json
import socket
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.wire import PATIENCE_S

PIECE = b"x" * 65536


@dataclass(slots=True)
class Seen:
    """One request as an upstream got it. Its `outcome` is None, then answered, cut (as told) or left by the gateway."""

    upstream: str
    marker: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    sent_bytes: int = 0
    outcome: str | None = None

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Script:
    """What to do with one request.

    `do`: json, sse, die (`when`: start, head or body), hang, flood (`size` bytes), raw (`text` as it stands, and
    `size` bytes of padding).
    `framing`: length, chunked or sse. `gated`: wait for `release` before the answer, and before each further chunk.
    """

    do: str = "json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    framing: str = "length"
    when: str = "start"
    chunks: int = 3
    size: int = 0
    text: str = ""
    gated: bool = False
    close: bool = False


class FakeUpstreams:
    """Servers by name, all on one event loop in a thread of its own. Use as a context manager."""

    def __init__(self, *names: str) -> None:
        self.ports: dict[str, int] = {}
        self._names = names
        self._seen: dict[str, list[Seen]] = defaultdict(list)
        self._changed = threading.Condition()
        self._gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self._servers: dict[str, asyncio.Server] = {}
        self._connections: dict[str, set[asyncio.StreamWriter]] = defaultdict(set)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "FakeUpstreams":
        self._thread.start()
        for name in self._names:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._servers):
            self.stop(name)
        self._run(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # What a test asks and does

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str) -> None:
        """Listen; on the same port as before if it was stopped."""
        self._run(self._listen(name))

    def stop(self, name: str) -> None:
        """Refuse connections from now on, and close those there are."""
        self._run(self._close(name))

    def close_connections(self, name: str) -> None:
        """Close every connection as a server does that was restarted, and go on listening."""
        self._run(self._drop(name))

    def release(self, marker: str, times: int = 1) -> None:
        """Let a gated request take its next step."""
        for _ in range(times):
            self._loop.call_soon_threadsafe(self._open_gate, marker)

    def seen(self, marker: str) -> list[Seen]:
        with self._changed:
            return list(self._seen[marker])

    def count(self, marker: str) -> int:
        return len(self.seen(marker))

    def wait_for(self, marker: str, condition: Callable[[list[Seen]], bool]) -> list[Seen]:
        """What reached the upstreams under a marker, once it satisfies the condition."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self._seen[marker]), PATIENCE_S), self._seen[marker]
            return list(self._seen[marker])

    def wait_seen(self, marker: str, count: int = 1) -> list[Seen]:
        return self.wait_for(marker, lambda seen: len(seen) >= count)

    def wait_outcome(self, marker: str) -> str:
        """How the first request under a marker ended."""
        outcome = self.wait_for(marker, lambda seen: bool(seen) and seen[0].outcome is not None)[0].outcome
        assert outcome is not None
        return outcome

    # Serving

    def _open_gate(self, marker: str) -> None:
        self._gates[marker].release()

    async def _listen(self, name: str) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connections[name].add(writer)
            try:
                while await self._one(name, reader, writer):
                    pass
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self._connections[name].discard(writer)
                writer.close()

        listener = socket.create_server(("127.0.0.1", self.ports.get(name, 0)), backlog=1024)
        self.ports[name] = listener.getsockname()[1]
        self._servers[name] = await asyncio.start_server(connected, sock=listener, limit=1 << 20)

    async def _close(self, name: str) -> None:
        self._servers.pop(name).close()
        await self._drop(name)

    async def _drop(self, name: str) -> None:
        for writer in list(self._connections[name]):
            writer.close()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _one(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether the connection may serve another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = [(key.lower(), value) for key, value in (line.split(": ", 1) for line in lines)]
        body = await reader.readexactly(int(dict(headers).get("content-length", "0")))
        told = _told(body)
        seen = Seen(name, str(told.get("marker", "")), first, headers, body)
        fake = told.get("fake", {})
        script = Script(**fake.get(name, fake.get("*", {})))
        self._note(seen)
        try:
            async with _watched(reader):
                return await self._act(seen, script, _answer(name, seen, told), writer)
        except ConnectionError:
            seen.outcome = "left"
            return False
        finally:
            self._note(None)

    async def _act(self, seen: Seen, script: Script, document: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        if script.gated:
            await self._gates[seen.marker].acquire()
        match script.do:
            case "json":
                await _send(writer, _head(script, len(payload := json.dumps(document).encode())) + payload)
            case "sse":
                await self._stream(seen, script, document, writer)
            case "die":
                await _die(script, writer)
                seen.outcome = "cut"
                return False
            case "hang":
                await asyncio.Event().wait()
            case "flood":
                await self._flood(seen, script, writer)
            case "raw":
                await _send(writer, script.text.encode("latin-1") + b"x" * script.size)
            case other:
                raise AssertionError(other)
        seen.outcome = "answered"
        return not script.close

    async def _stream(self, seen: Seen, script: Script, document: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        head = _head(Script(framing="chunked", headers={"content-type": "text/event-stream", **script.headers}), None)
        await _send(writer, head)
        document = {**document, "object": "chat.completion.chunk"}
        for number in range(script.chunks):
            if number and script.gated:
                await self._gates[seen.marker].acquire()
            choice = {"index": 0, "delta": {"role": "assistant", "content": f"word{number} "}, "finish_reason": None}
            await _send(writer, _chunk(b"data: %b\n\n" % json.dumps({**document, "choices": [choice]}).encode()))
        await _send(writer, _chunk(b"data: [DONE]\n\n") + _chunk(b""))

    async def _flood(self, seen: Seen, script: Script, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        await _send(writer, _head(script, script.size))
        while seen.sent_bytes < script.size:
            piece = PIECE[: script.size - seen.sent_bytes]
            await _send(writer, _chunk(piece) if script.framing == "chunked" else piece)
            seen.sent_bytes += len(piece)
        if script.framing == "chunked":
            await _send(writer, _chunk(b""))

    def _note(self, seen: Seen | None) -> None:
        with self._changed:
            if seen is not None:
                self._seen[seen.marker].append(seen)
            self._changed.notify_all()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


@asynccontextmanager
async def _watched(reader: asyncio.StreamReader) -> AsyncIterator[None]:
    """Raise ConnectionResetError in the middle of whatever is done if the gateway leaves."""
    task = asyncio.current_task()
    assert task is not None
    left = False

    async def watch() -> None:
        nonlocal left
        with suppress(ConnectionError):
            # The gateway sends nothing before it is answered: what comes here is its end.
            if await reader.read(1):
                return
        left = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if left:
            raise ConnectionResetError("the gateway left") from None
        raise
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _die(script: Script, writer: asyncio.StreamWriter) -> None:
    """Close at the start, after the headers, or after the first part of the body."""
    if script.when == "start":
        return
    kind = {"content-type": "text/event-stream"} if script.framing == "sse" else {}
    framing = "length" if script.framing == "length" else "chunked"
    head = _head(Script(framing=framing, status=script.status, headers={**kind, **script.headers}), 1000)
    if script.when == "head":
        await _send(writer, head)
        return
    part = b'data: {"part": 1}\n\n' if script.framing == "sse" else b'{"part": 1'
    await _send(writer, head + (part if framing == "length" else _chunk(part)))


def _head(script: Script, length: int | None) -> bytes:
    framing = {"transfer-encoding": "chunked"} if script.framing == "chunked" else {"content-length": str(length)}
    fields = {"content-type": "application/json", **framing, **script.headers}
    if script.close:
        fields["connection"] = "close"
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {script.status} Whatever\r\n{lines}\r\n".encode("latin-1")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _told(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _answer(name: str, seen: Seen, told: dict[str, Any]) -> dict[str, Any]:
    """An answer that OpenAI clients can read, and that says who gave it to which request."""
    own = {"upstream": name, "marker": seen.marker, "model": told.get("model", ""), "created": 0, "id": "fake"}
    if seen.target.split(" ")[1].startswith("/v1/embeddings"):
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        return {**own, "object": "list", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    message = {"role": "assistant", "content": f"hello from {name}"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {**own, "object": "chat.completion", "choices": choices}
