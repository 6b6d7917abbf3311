"""A model server's spans: the last of a request's trace, for requests that come with one. Never of their text."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random, SystemRandom

from edgemind import bootstrap
from edgemind.domain.spans import KeepRule, Span, SpanKind
from edgemind.domain.trace_context import TraceContext, continued_trace
from edgemind.entrypoints.model_server.assignment import Assignment
from edgemind.entrypoints.model_server.exchange import Message, Receive, Scope, Send
from edgemind.entrypoints.model_server.serving import App
from edgemind.ports.telemetry import SpanSink
from edgemind.settings import Settings

OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}
OTHER_OPERATION = "infer"


class TracedApp:
    """An ASGI application around another one. `server` says what it is, such as `simulated at site-a`."""

    def __init__(self, app: App, server: str, rule: KeepRule, sink: SpanSink, rng: Random) -> None:
        self._app = app
        self._server = server
        self._rule = rule
        self._sink = sink
        self._rng = rng

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace = continued_trace(scope["headers"]) if scope["type"] == "http" else None
        if trace is None:
            await self._app(scope, receive, send)
            return
        status, started_ns = 0, time.time_ns()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            ended_ns = time.time_ns()
            slow = ended_ns - started_ns > self._rule.slow_ms * 1e6
            if trace.sampled or slow or status >= 500:
                span_id = f"{self._rng.getrandbits(64) or 1:016x}"
                operation = OPERATIONS.get(scope["path"], OTHER_OPERATION)
                times = started_ns, ended_ns
                self._sink.offer(partial(_span, self._server, operation, trace, span_id, times, status))


@contextmanager
def traced(app: App, assigned: Assignment, settings: Settings) -> Iterator[App]:
    """The application, with spans if the configuration wants any; what waits for export is sent at the end."""
    server = f"{assigned.engine.value} at {assigned.site}"
    with traced_as(app, "model-server", assigned.site, server, settings) as wrapped:
        yield wrapped


@contextmanager
def traced_as(app: App, component: str, place: str, server: str, settings: Settings) -> Iterator[App]:
    """As `traced`, for a server of another kind. `place` is its site, or the cloud tier."""
    sink = bootstrap.open_span_sink(settings, place, component, place)
    if sink is None:
        yield app
        return
    try:
        yield TracedApp(app, server, bootstrap.keep_rule(settings), sink, SystemRandom())
    finally:
        sink.close()


def _span(server: str, operation: str, trace: TraceContext, span_id: str, times: tuple[int, int], status: int) -> Span:
    """`status` 0: the client left before its answer began."""
    return Span(
        name=f"{operation} ({server})",
        kind=SpanKind.SERVER,
        trace_id=trace.trace_id,
        span_id=span_id,
        parent_id=trace.parent_id,
        start_ns=times[0],
        end_ns=times[1],
        attributes={
            "gen_ai.operation.name": operation,
            **({"http.response.status_code": status} if status else {}),
        },
        error=f"status {status}" if status >= 500 else None,
    )
