"""Spans by OTLP over HTTP, encoded and sent by OpenTelemetry's own exporter.

No tracer and no span processor: a span is over when it comes here, so nothing of the SDK runs beside a request.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from edgemind import __version__
from edgemind.domain.spans import Span

_KINDS = {kind.name.lower(): kind for kind in SpanKind}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_SCOPE = InstrumentationScope("edgemind", __version__)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where spans are taken. `headers` hold secrets."""

    endpoint: str
    headers: Mapping[str, str]
    timeout_s: float


class OtlpSpans:
    """A SpanExporter. `resource` says which process this is, in OpenTelemetry's words."""

    def __init__(self, receiver: Receiver, resource: Mapping[str, str]) -> None:
        # What went wrong is told by whoever exports, once per outage and not at each try.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._resource = Resource(dict(resource))
        self._exporter = OTLPSpanExporter(
            endpoint=receiver.endpoint, headers=dict(receiver.headers), timeout=receiver.timeout_s
        )

    def export(self, spans: Sequence[Span]) -> bool:
        return self._exporter.export([self._readable(span) for span in spans]) is SpanExportResult.SUCCESS

    def _readable(self, span: Span) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
            resource=self._resource,
            attributes=dict(span.attributes),
            events=[Event(name, timestamp=at_ns) for name, at_ns in span.events],
            kind=_KINDS[span.kind],
            instrumentation_scope=_SCOPE,
            status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
            start_time=span.start_ns,
            end_time=span.end_ns,
        )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)
