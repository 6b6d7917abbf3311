"""HTTP/1.1 spelled out: a client that sends any bytes and says exactly what came back."""

import json
import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

PATIENCE_S = 20.0
"""How long a test waits for what must come; only a broken gateway is ever waited for that long."""


class ConnectionEnded(Exception):
    """The other side closed before the head of an answer was whole."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `complete` is false when the connection ended before the body did."""

    status: int
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes
    complete: bool = True

    def __getitem__(self, name: str) -> str:
        return self.all(name)[0]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def has(self, name: str) -> bool:
        return bool(self.all(name))

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error in OpenAI's shape, which every refusal has."""
        document = self.json()
        assert list(document) == ["error"], document
        assert set(document["error"]) == {"message", "type", "code", "param"}, document
        assert self["content-type"] == "application/json"
        error: dict[str, Any] = document["error"]
        return error


class Wire:
    """One connection to a gateway."""

    def __init__(
        self,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        receive_buffer_bytes: int | None = None,
        timeout_s: float = PATIENCE_S,
    ) -> None:
        self._socket = socket.socket()
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(timeout_s)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def reset(self) -> None:
        """End with a reset, as a client does whose process dies with unread bytes."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._socket.close()

    def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_part(self, data: bytes) -> int:
        """As much as the other side takes now; 0 if it takes nothing."""
        self._socket.setblocking(False)
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        finally:
            self._socket.settimeout(PATIENCE_S)

    def read_some(self) -> bytes:
        """Whatever comes next; empty at the end."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        return self._socket.recv(65536)

    def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer. Raises ConnectionEnded if none begins."""
        status, headers = self.head()
        lengths = [value for key, value in headers if key == "content-length"]
        if to_head or status in {204, 304}:
            return Answer(status, headers, b"")
        if ("transfer-encoding", "chunked") in headers:
            return Answer(status, headers, *self._chunked())
        if lengths:
            body = self._exactly(int(lengths[0]))
            return Answer(status, headers, body, complete=len(body) == int(lengths[0]))
        return Answer(status, headers, self._rest())

    def head(self) -> tuple[int, list[tuple[str, str]]]:
        """Status and headers of the next answer; its body is still to be read."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            raise ConnectionEnded(self._buffer[:200])
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version == "HTTP/1.1", first
        pairs = [line.split(": ", 1) for line in lines]
        return int(status), [(name.lower(), value) for name, value in pairs]

    def chunk(self) -> bytes | None:
        """The next chunk of a chunked body, empty at its clean end; None if the connection ends instead."""
        size = self._until(b"\r\n")
        if size is None:
            return None
        data = self._exactly(int(size, 16) + 2)
        return data[:-2] if data.endswith(b"\r\n") and len(data) == int(size, 16) + 2 else None

    def closed(self) -> bool:
        """Wait until the other side closes; false if it sends something instead."""
        try:
            return not self.read_some()
        except (ConnectionError, ssl.SSLError):
            return True

    def is_reset(self) -> bool:
        """Wait until the connection ends; whether that was a reset, the sign that something is missing."""
        try:
            while self._socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return False

    def _chunked(self) -> tuple[bytes, bool]:
        chunks: list[bytes] = []
        while chunk := self.chunk():
            chunks.append(chunk)
        return b"".join(chunks), chunk is not None

    def _rest(self) -> bytes:
        while self._more():
            pass
        rest, self._buffer = self._buffer, b""
        return rest

    def _until(self, mark: bytes) -> bytes | None:
        while mark not in self._buffer:
            if not self._more():
                return None
        part, _, self._buffer = self._buffer.partition(mark)
        return part

    def _exactly(self, size: int) -> bytes:
        pieces = [self._buffer]
        missing = size - len(self._buffer)
        self._buffer = b""
        while missing > 0:
            piece = self._receive()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            missing -= len(piece)
        data = b"".join(pieces)
        self._buffer = data[size:]
        return data[:size]

    def _more(self) -> bool:
        data = self._receive()
        self._buffer += data
        return bool(data)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(1 << 18)
        except ConnectionError:
            return b""


def request_bytes(
    method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, *, host: str = "gateway"
) -> bytes:
    """One request as it goes over the wire; a body brings its content-length unless the headers frame it."""
    fields = {"host": host, **(headers or {})}
    if body and "transfer-encoding" not in fields and "content-length" not in fields:
        fields["content-length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """One request on a connection of its own."""
    with Wire(port, tls=tls) as wire:
        wire.send(request_bytes(method, path, body, headers))
        return wire.answer(to_head=method == "HEAD")
