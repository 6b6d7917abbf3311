"""The table of every field, with unit, default and bounds, that docs/configuration.md shows."""

from collections.abc import Iterator

from edgemind.settings.schema import Schema, config_schema, resolved
from edgemind.settings.wording import number

START = "<!-- fields: generated, `edgemind config schema --write docs` renews them -->"
END = "<!-- end of fields -->"
_SECTIONS = (
    ("Top level", ""),
    ("state", "StateSettings"),
    ("model_store", "ModelStoreSettings"),
    ("aws", "AwsSettings"),
    ("fleet", "AccessSettings"),
    ("fleet.tls", "TlsSettings"),
    ("fleet.tokens", "RoleTokens"),
    ("sites[]", "SiteSettings"),
    ("sites[].position", "PositionSettings"),
    ("sites[].models[] and cloud.models[]", "ModelSettings"),
    ("sites[].models[].simulated", "SimulatedSettings"),
    ("cloud", "CloudSettings"),
    ("bedrock", "BedrockSettings"),
    ("bedrock.models[]", "BedrockModelSettings"),
    ("tenants[]", "TenantSettings"),
    ("limits", "Limits"),
    ("thresholds", "Thresholds"),
    ("routing", "RoutingPolicy"),
    ("swarm", "SwarmPolicy"),
    ("metrics", "MetricsSettings"),
    ("operations", "OperationsSettings"),
    ("operations.webhooks[]", "WebhookSettings"),
    ("operations.topics[]", "TopicSettings"),
    ("levels and operations.console", "AlertLevels"),
    ("audit", "AuditSettings"),
    ("telemetry", "TelemetrySettings"),
)


def field_tables() -> str:
    """One Markdown table a group, from the published schema."""
    schema = config_schema()
    lines: list[str] = []
    for title, definition in _SECTIONS:
        group = schema["$defs"][definition] if definition else schema
        lines += [
            f"### {title}",
            "",
            "| field | type | unit | default | bounds | meaning |",
            "|---|---|---|---|---|---|",
        ]
        lines += [*_rows(group), ""]
    return "\n".join(lines)


def with_field_tables(document: str) -> str:
    """A Markdown document with what stands between its two markers renewed; ValueError if it lacks one."""
    before, start, rest = document.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the document needs the two lines {START!r} and {END!r}")
    return f"{before}{START}\n\n{field_tables()}\n{END}{after}"


def _rows(group: Schema) -> Iterator[str]:
    required = group.get("required", ())
    for name, node in group["properties"].items():
        field = resolved(node)
        default = "required" if name in required else _default(field)
        cells = (
            f"`{name}`",
            _kind(field),
            field.get("unit", ""),
            default,
            _bounds(field),
            field.get("description", ""),
        )
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _default(field: Schema) -> str:
    value = field.get("default")
    if value in (None, [], {}):
        return ""
    return f"`{number(value) if isinstance(value, int | float) else value}`"


def _kind(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if str(field.get("pattern", "")).startswith("^(env"):
        return "secret"
    if str(field.get("pattern", "")).startswith("^https"):
        return "URL"
    if field.get("type") == "array":
        return f"list of {_kind(resolved(field['items']))}"
    if field.get("type") == "object":
        return "mapping"
    return {"string": "text", "integer": "whole number"}.get(str(field.get("type")), str(field.get("type")))


def _bounds(field: Schema) -> str:
    node = field.get("additionalProperties")
    source = node if isinstance(node, dict) else field
    if "minimum" in source and "maximum" in source:
        return f"{number(source['minimum'])} to {number(source['maximum'])}"
    if "minItems" in source:
        return (
            f"{source['minItems']} to {source['maxItems']}"
            if "maxItems" in source
            else f"at least {source['minItems']}"
        )
    return ""
