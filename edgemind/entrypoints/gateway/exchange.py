"""One request and its response on a client connection: ASGI, plus a synchronous way to write for the relay.

The relay writes inside the upstream's read callback. Waking a task for every chunk would double the cost of a stream
and add a turn of the event loop to each of its chunks.
"""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from edgemind.ports.inference import PendingRequest


class Exchange(RequestResponseCycle):
    """Found as `scope["extensions"]["edgemind.exchange"]`. `upstream` is told about hang-ups and slow readers."""

    upstream: PendingRequest | None = None

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.scope["headers"] if key == name), None)

    def start(self, status: int, head: bytes, chunk: bytes, *, length: int | None, complete: bool) -> None:
        """Write status, headers and the first body bytes in one go.

        `head` is a serialized block of header lines without framing headers; `length` the whole body's length in bytes if
        it is known, else the body is chunked (or ends with the connection, for an HTTP/1.0 client).
        """
        if self.disconnected:
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        parts = [STATUS_LINE[status]]
        parts += [b"%b: %b\r\n" % pair for pair in self.default_headers]
        parts.append(head)
        if length is not None:
            parts.append(b"content-length: %d\r\n" % length)
        elif self.scope["http_version"] == "1.0":
            self.keep_alive = False
        else:
            self.chunked_encoding = True
            parts.append(b"transfer-encoding: chunked\r\n")
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if chunk:
            parts.append(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.chunked_encoding else chunk)
        if complete and self.chunked_encoding:
            parts.append(b"0\r\n\r\n")
        self.transport.write(b"".join(parts))
        if complete:
            self._completed()

    def push(self, chunk: bytes) -> None:
        """Write one body chunk; a reader that is too slow pauses the upstream."""
        if self.disconnected:
            return
        self.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.chunked_encoding else chunk)
        if self.flow.write_paused and self.upstream is not None:
            self.upstream.pause()

    def finish(self, last: bytes = b"") -> None:
        """End the body cleanly."""
        if self.disconnected or self.response_complete:
            return
        if last:
            self.push(last)
        if self.chunked_encoding:
            self.transport.write(b"0\r\n\r\n")
        self._completed()

    def cut(self) -> None:
        """End the connection in mid-body, so that no client can take what it has for the whole."""
        self.response_complete = True
        self.transport.abort()

    def hang_up(self) -> None:
        """The client is gone."""
        self.disconnected = True
        if self.upstream is not None:
            self.upstream.cancel()
        self.message_event.set()

    def _completed(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
