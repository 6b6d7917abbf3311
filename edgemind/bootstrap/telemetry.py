"""Where the spans of a process go."""

import sys
from typing import TYPE_CHECKING

from edgemind.domain.spans import KeepRule
from edgemind.errors import ConfigurationError
from edgemind.settings import Exporter, Settings, TelemetrySettings

if TYPE_CHECKING:
    from edgemind.ports.telemetry import SpanExporter, SpanSink


def keep_rule(settings: Settings) -> KeepRule:
    """With nobody to export to, no trace that begins here asks others to keep theirs."""
    telemetry = settings.telemetry
    on = telemetry.exporter is not Exporter.NONE
    return KeepRule(telemetry.sample_ratio if on else 0.0, telemetry.slow_ms)


def open_span_sink(settings: Settings, site: str, process: str, instance: str) -> "SpanSink | None":
    """Starts the exporting thread; None where no exporter is configured, and then nothing of it is imported.

    `process` is what it is called in traces: gateway, controller, model-server.
    """
    telemetry = settings.telemetry
    if telemetry.exporter is Exporter.NONE:
        return None
    from edgemind.adapters.telemetry.background import BackgroundSpans

    resource = {
        "service.name": f"edgemind-{process}",
        "service.namespace": settings.metro,
        "service.instance.id": instance,
        "edgemind.site": site,
    }
    exporter = _otlp(telemetry, resource) if telemetry.exporter is Exporter.OTLP else _console()
    return BackgroundSpans(exporter, telemetry.queue_spans)


def _otlp(telemetry: TelemetrySettings, resource: dict[str, str]) -> "SpanExporter":
    # Imported now, and not by the thread: what a worker holds when it begins to serve, its collector need not look at.
    try:
        from edgemind.adapters.telemetry.otlp import OtlpSpans, Receiver
    except ModuleNotFoundError as exc:
        raise ConfigurationError(
            "telemetry.exporter is otlp, and OpenTelemetry is not installed: install edgemind-mec[telemetry]"
        ) from exc
    headers = {name: secret.reveal() for name, secret in telemetry.headers.items()}
    return OtlpSpans(Receiver(telemetry.endpoint, headers, telemetry.timeout_s), resource)


def _console() -> "SpanExporter":
    from edgemind.adapters.telemetry.console import ConsoleSpans

    return ConsoleSpans(sys.stderr)
