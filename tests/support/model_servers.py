"""Model-server processes of their own on free ports, and plain HTTP to them."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MAIN = "from edgemind.entrypoints.model_server.command import model_server; model_server()"
PATIENCE_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(config: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", MAIN, "--config", str(config), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(config: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A server that has said it is ready; stopped, if need be killed, afterwards."""
    process = start(config, *arguments)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), process.communicate()[1]
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """As ASGI has them."""
        return [(name.encode(), value.encode()) for name, value in self.headers.items()]

    @property
    def events(self) -> list[str]:
        """The data of each server-sent event."""
        return [part.removeprefix("data: ") for part in self.body.decode().split("\n\n") if part]


def ask(port: int, method: str, path: str, document: object = None, raw: bytes | None = None) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, raw if document is None else json.dumps(document).encode())
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    finally:
        connection.close()


def begin(port: int, path: str, document: object) -> socket.socket:
    """Send a request and do not wait for its answer."""
    body = json.dumps(document).encode()
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    head = f"POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what has to happen by itself."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)
