"""The report's file: refused before anything starts if it cannot be written, and never half-written."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from edgemind.errors import ConfigurationError, PermanentError


def check_writable(path: Path) -> None:
    """Raises ConfigurationError unless a report can be put at `path`."""
    if path.is_dir():
        raise ConfigurationError(f"--report {path} is a folder; name a file in it, such as {path / 'report.json'}")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as exc:
        why = (exc.strerror or "no access").lower()
        raise ConfigurationError(
            f"--report {path} cannot be written ({why}: {path.parent.absolute()}); name a file in a folder that you "
            "may write to"
        ) from exc


def write_report(path: Path, document: Mapping[str, object]) -> None:
    """Put the whole document in place of whatever is there. PermanentError if that is no longer possible."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=2)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise PermanentError(f"the report could not be written to {path}: {exc.strerror or exc}") from exc
