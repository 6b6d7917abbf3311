"""A receiver of alerts by POST that a test makes slow, angry or forgetful."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def told(self) -> tuple[str, str, str | None]:
        """(change, name, site)"""
        alert = self.document["alert"]
        return self.document["change"], alert["name"], alert["site"]


@dataclass
class HookReceiver:
    """`statuses` are answered one after the other, then 200. `held`: while it is clear, nobody is answered."""

    statuses: list[int] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def of(self, status: int) -> None:
        self.statuses.append(status)


@contextmanager
def hook_receiver() -> Iterator[HookReceiver]:
    state = HookReceiver()
    state.held.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            state.held.wait(30.0)
            state.received.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(state.statuses.pop(0) if state.statuses else 200)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}/alerts?token=hidden"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
