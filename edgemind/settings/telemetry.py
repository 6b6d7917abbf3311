"""Where traces go and how logs look. Both are off the path of requests: nothing here can slow or fail one."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from edgemind.domain.bounds import OutOfBounds
from edgemind.settings.fields import ServerUrl
from edgemind.settings.groups import Group
from edgemind.settings.secret import SecretReference


class Exporter(StrEnum):
    """Who gets the spans."""

    NONE = "none"
    OTLP = "otlp"
    CONSOLE = "console"


class LogFormat(StrEnum):
    """How servers write their logs."""

    TEXT = "text"
    JSON = "json"


class TelemetrySettings(Group):
    """Traces and logs of gateways, controllers and model servers."""

    exporter: Exporter = Field(
        default=Exporter.NONE,
        strict=False,
        description="none: no spans. otlp: to `endpoint`, by OTLP over HTTP (extra `telemetry`). console: JSON lines "
        "on stderr.",
    )
    endpoint: ServerUrl = Field(
        default="http://127.0.0.1:4318/v1/traces", description="Where an OTLP receiver takes traces, with its path."
    )
    headers: dict[str, SecretReference] = Field(
        default_factory=dict,
        max_length=16,
        description="Headers of each export, such as a key; their values are references, as all secrets.",
        examples=["{x-api-key: env:OTLP_KEY}"],
    )
    sample_ratio: float = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="Share of the traces that begin here which is kept in any case. Errors, refused, late and slow "
        "requests always are.",
        json_schema_extra={"unit": "ratio"},
    )
    slow_ms: float = Field(
        default=5000.0,
        ge=1,
        le=3_600_000,
        description="A request that took longer is kept.",
        json_schema_extra={"unit": "ms"},
    )
    queue_spans: int = Field(
        default=2048, ge=1, le=65_536, description="Spans that wait for the exporter; more are dropped, and counted."
    )
    timeout_s: float = Field(
        default=2.0,
        ge=0.1,
        le=30,
        description="How long one export may take.",
        json_schema_extra={"unit": "s"},
    )
    logs: LogFormat = Field(
        default=LogFormat.TEXT, strict=False, description="text: a line to read. json: one object a line, for machines."
    )

    @model_validator(mode="after")
    def _headers_are_names(self) -> Self:
        for name in self.headers:
            if not name.replace("-", "").isalnum() or not name.isascii() or name != name.lower() or len(name) > 64:
                raise OutOfBounds("headers", f"has {name[:64]!r}; write header names in lower case, such as x-api-key")
        return self
