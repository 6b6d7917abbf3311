"""A real OTLP/HTTP receiver on a free port: decodes what exporters send, and is slow, dead or refusing when told to."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.wire import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Received:
    """One span as it came, with the resource it came from. Ids are hex digits."""

    service: str
    resource: Mapping[str, Any]
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    error: str | None


class OtlpReceiver:
    """Use as a context manager. `status` is what it answers; with `hang` it takes requests and answers none."""

    def __init__(self, status: int = 200, *, hang: bool = False) -> None:
        self.spans: list[Received] = []
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        self.status = status
        self._hang = hang
        self._released = threading.Event()
        self._changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if outer._take(self.path, dict(self.headers), body):
                    self.send_response(outer.status)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
                """Nothing: a test's output is its own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1/traces"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, condition: Callable[[list[Received]], bool]) -> list[Received]:
        """The spans so far, once they satisfy the condition."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.spans), PATIENCE_S), self.spans
            return list(self.spans)

    def of_trace(self, trace_id: str, count: int) -> list[Received]:
        """The spans of one trace, once there are so many, in the order they began."""
        self.wait_for(lambda spans: sum(span.trace_id == trace_id for span in spans) >= count)
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.start_ns)

    def wait_asked(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.requests), PATIENCE_S)

    def _take(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Note what came; whether to answer."""
        with self._changed:
            self.requests.append((path, headers, body))
            if self.status == 200 and not self._hang:
                self.spans += decoded(body)
            self._changed.notify_all()
        if self._hang:
            self._released.wait()
        return not self._hang


def decoded(body: bytes) -> list[Received]:
    request = ExportTraceServiceRequest.FromString(body)
    found = []
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_spans:
            found += [_received(resource, span) for span in scope.spans]
    return found


def _received(resource: Mapping[str, Any], span: Any) -> Received:
    return Received(
        str(resource["service.name"]),
        resource,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        _plain(span.attributes),
        span.status.message if span.status.code == 2 else None,
    )


def _plain(attributes: Any) -> dict[str, Any]:
    def value(of: Any) -> Any:
        kind = of.WhichOneof("value")
        return [value(item) for item in of.array_value.values] if kind == "array_value" else getattr(of, kind)

    return {attribute.key: value(attribute.value) for attribute in attributes}
