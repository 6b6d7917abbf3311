"""Model servers that cost next to nothing: every port answers the same chat completion, plain or as 20 events.

Run as `python -m benchmarks.mock_upstream --ports 9001,9002`. Whatever a gateway costs beyond this is its own.
"""

import argparse
import asyncio
import signal
from typing import cast

import httptools
import uvloop

from benchmarks.payloads import JSON_ANSWER, MODEL, STREAM_EVENTS, wants_stream


def _plain(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


_JSON = _plain(b"200 OK", JSON_ANSWER)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_LAST = STREAM_EVENTS[-1]
_FRAMES = (
    *(b"%x\r\n%s\r\n" % (len(event), event) for event in STREAM_EVENTS[:-1]),
    b"%x\r\n%s\r\n0\r\n\r\n" % (len(_LAST), _LAST),
)
# Health checks and model lists: what the peers' start-up probes ask for.
_ABOUT = _plain(
    b"200 OK",
    b'{"object":"list","status":"ok","model_path":"%(m)s","data":[{"id":"%(m)s","object":"model"}]}'
    % {b"m": MODEL.encode()},
)
_WRONG = _plain(b"400 Bad Request", b'{"error":{"message":"not the request that was sent"}}')


class MockModelServer(asyncio.Protocol):
    """One connection. Headers of a stream leave at once, each event `chunk_s` after the one before."""

    def __init__(self, chunk_s: float) -> None:
        self._chunk_s = chunk_s
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's in behaviour, not in class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(_WRONG)
            self._transport.close()

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        if not body:
            self._transport.write(_ABOUT)
            return
        stream = wants_stream(body)
        if stream is None:
            self._transport.write(_WRONG)
        elif stream:
            self._transport.write(_STREAM_HEAD)
            self._loop.call_later(self._chunk_s, self._send_event, 0)
        else:
            self._transport.write(_JSON)

    def _send_event(self, index: int) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_FRAMES[index])
        if index + 1 < len(_FRAMES):
            self._loop.call_later(self._chunk_s, self._send_event, index + 1)


async def serve(ports: list[int], chunk_ms: float) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for port in ports:
        await loop.create_server(lambda: MockModelServer(chunk_ms / 1000), "127.0.0.1", port, backlog=1024)
    await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", required=True, help="comma-separated; one mock model server each")
    parser.add_argument("--chunk-ms", type=float, default=2.0, help="time between the events of a stream")
    arguments = parser.parse_args()
    uvloop.run(serve([int(port) for port in arguments.ports.split(",")], arguments.chunk_ms))


if __name__ == "__main__":
    main()
