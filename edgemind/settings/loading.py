"""From a file to settings, with every finding at once."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from edgemind.errors import ConfigurationError
from edgemind.settings.consistency import contradictions
from edgemind.settings.document import Document, parse_document
from edgemind.settings.environment import process_environment, read_overrides
from edgemind.settings.findings import Finding, Places, refusal
from edgemind.settings.root import Settings
from edgemind.settings.schema import known_keys
from edgemind.settings.secret import Secret, SecretReader
from edgemind.settings.source import read_text
from edgemind.settings.wording import explain, unknown_key


def load_settings(
    path: Path | str, environ: Mapping[str, str] | None = None, *, resolve_secrets: bool = True
) -> Settings:
    """Read, override from the environment, validate.

    `environ` defaults to the process's own. `resolve_secrets=False` checks only the form of secret references, for
    showing and comparing files on a machine that does not have them. Raises ConfigurationError, whose message has one
    line for each finding: `file:line: field.path: what is wrong; what to do`.
    """
    file = Path(path)
    environ = process_environment() if environ is None else environ
    document = parse_document(read_text(file), str(file))
    overrides = read_overrides(environ)
    places = Places(str(file), document.lines, overrides.variables)
    data = _top_level(document, places)
    reader = SecretReader(file.absolute().parent, environ, resolve_secrets)
    data = overrides.apply(data)
    settings, invalid = _validated(data, reader)
    findings = [
        *document.findings,
        *overrides.findings,
        *_empty_unknown_keys(document),
        *invalid,
        *contradictions(data),
    ]
    if findings or settings is None:
        raise refusal(findings, places)
    return settings


def read_secret(path: Path | str, secret: Secret, environ: Mapping[str, str] | None = None) -> str:
    """One secret of a file that was loaded without them, for a process that is given no others.

    Raises ConfigurationError.
    """
    environ = process_environment() if environ is None else environ
    try:
        return SecretReader(Path(path).absolute().parent, environ).read(secret.reference).reveal()
    except ValueError as exc:
        raise ConfigurationError(f"{path}: {secret.reference}: {exc}") from exc


def with_telemetry_secrets(settings: Settings, path: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings that were loaded without secrets, with those of their telemetry: for a process that needs no others.

    Raises ConfigurationError, which names what is missing.
    """
    if not settings.telemetry.headers:
        return settings
    file = Path(path)
    reader = SecretReader(file.absolute().parent, process_environment() if environ is None else environ)
    try:
        headers = {name: reader.read(secret.reference) for name, secret in settings.telemetry.headers.items()}
    except ValueError as exc:
        raise ConfigurationError(f"{file}: telemetry.headers: {exc}") from exc
    telemetry = settings.telemetry.model_copy(update={"headers": headers})
    return settings.model_copy(update={"telemetry": telemetry})


def _top_level(document: Document, places: Places) -> dict[str, object]:
    if document.data is None and not document.findings:
        raise refusal([Finding((), "is empty; start with version: 1, as docs/configuration.md shows")], places)
    if not isinstance(document.data, dict):
        message = "is not a mapping at its top level; start with version: 1, as docs/configuration.md shows"
        raise refusal([*document.findings, Finding((), message)], places)
    # Defaults that are relative to the file's folder are resolved while validating, so the group has to be there.
    return {"state": {}, "model_store": {}, "audit": {}, **document.data}


def _validated(data: dict[str, object], reader: SecretReader) -> tuple[Settings | None, list[Finding]]:
    # As JSON, because strict validation then takes lists for tuples and names for enums, and still refuses "10" for 10.
    try:
        return Settings.model_validate_json(json.dumps(data), context=reader), []
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        # A list whose entries are all refused counts as empty too; that would only be noise.
        return None, [explain(error) for error in errors if not (error["type"] == "too_short" and error["input"])]


def _empty_unknown_keys(document: Document) -> list[Finding]:
    """A key without a value counts as absent, but a wrong key without a value is still a wrong key."""
    findings = []
    for path in document.empty:
        known = known_keys(path[:-1])
        if known and path[-1] not in known:
            findings.append(Finding(path, unknown_key(path)))
    return findings
