"""Secrets are named in edgemind.yaml, never written there: `env:NAME` or `file:PATH` (from the file's folder)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from edgemind.errors import ConfigurationError

MAX_SECRET_BYTES = 8192
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A secret travels in a header: a line break or a space in it would be a second header or a refused request.
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


class Secret:
    """A resolved secret that prints as its reference. `path` is the file it came from, so that a change can be noticed.

    Not a dataclass, whose fields every serializer would write out. The value is None only in settings that were loaded
    without secrets (to show or compare them).
    """

    __slots__ = ("_value", "path", "reference")

    def __init__(self, reference: str, value: str | None = None, path: Path | None = None) -> None:
        self.reference = reference
        self.path = path
        self._value = value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __str__(self) -> str:
        return self.reference

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.reference, self._value) == (other.reference, other._value)

    def __hash__(self) -> int:
        return hash((self.reference, self._value))

    @property
    def known(self) -> bool:
        return self._value is not None

    def reveal(self) -> str:
        """The secret itself; ConfigurationError if it was not read."""
        if self._value is None:
            raise ConfigurationError(f"{self.reference} was not read; load the settings with their secrets")
        return self._value


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Where references lead: the yaml's folder and the environment. With `resolve` off only their form is checked."""

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    resolve: bool = True

    def read(self, reference: str) -> Secret:
        """Resolve one reference; ValueError says what is wrong and what to do, and never repeats a value."""
        scheme, _, rest = reference.partition(":")
        if scheme == "env" and _VARIABLE.fullmatch(rest):
            return Secret(reference, self._checked(self.environ.get(rest), f"environment variable {rest}"))
        if scheme == "file" and rest.strip() and "\0" not in rest:
            path = self.folder / Path(rest)
            return Secret(reference, self._checked(self._file(path), f"file {path}"), path)
        raise ValueError("is not a reference to a secret; write env:NAME or file:PATH, never the secret itself")

    def _file(self, path: Path) -> str | None:
        if not self.resolve:
            return None
        try:
            if not path.is_file():
                raise ValueError(f"file {path} does not exist or is not a file; create it or correct the path")
            with path.open("rb") as stream:
                content = stream.read(MAX_SECRET_BYTES + 1)
            return content.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise ValueError(f"file {path} is not text; write the secret into it as one line") from None
        except OSError as exc:
            reason = (exc.strerror or "unreadable").lower()
            raise ValueError(f"file {path} cannot be read ({reason}); correct the path or its permissions") from exc

    def _checked(self, value: str | None, place: str) -> str | None:
        if not self.resolve:
            return None
        if value is None:
            raise ValueError(f"{place} is not set; export it before starting")
        if not value:
            raise ValueError(f"{place} is empty; put the secret there")
        if len(value) > MAX_SECRET_BYTES:
            raise ValueError(f"{place} holds more than {MAX_SECRET_BYTES} bytes; a secret is one short line")
        if not _HEADER_SAFE.fullmatch(value):
            raise ValueError(f"{place} holds spaces, line breaks or non-ASCII characters; a secret is one plain word")
        return value


def _read(value: object, info: ValidationInfo) -> Secret:
    if not isinstance(value, str):
        raise ValueError("is not a reference to a secret; write env:NAME or file:PATH, never the secret itself")
    reader = info.context if isinstance(info.context, SecretReader) else SecretReader(Path(), {}, resolve=False)
    return reader.read(value)


SecretReference = Annotated[
    Secret,
    PlainValidator(_read),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^(env|file):.+"}),
]
