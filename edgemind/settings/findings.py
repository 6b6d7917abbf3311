"""What is wrong with a configuration, and where: `file:line: field.path: what is wrong; what to do`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgemind.errors import ConfigurationError

FieldPath = tuple[str | int, ...]
"""Keys and list positions from the top of the document to a value; () is the document itself."""

MAX_FINDINGS = 100
MAX_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to correct. `line` is given only where the path would lead elsewhere (to a key that stands twice)."""

    path: FieldPath
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where values came from: a line of the file, or an environment variable that replaced it."""

    file: str
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    variables: Mapping[FieldPath, str] = field(default_factory=dict)

    def line(self, path: FieldPath) -> int:
        """The line of a value, or of the nearest thing around it when it is absent."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return self.lines.get((), 1)

    def describe(self, finding: Finding) -> str:
        where = f"{shown_path(finding.path)}: " if finding.path else ""
        if finding.path in self.variables:
            return f"environment {self.variables[finding.path]}: {where}{finding.message}"
        return f"{self.file}:{finding.line or self.line(finding.path)}: {where}{finding.message}"


def refusal(findings: Iterable[Finding], places: Places) -> ConfigurationError:
    """All findings as one error, a line each, in the order of the file; the first hundred if there are more."""
    ordered = sorted(findings, key=lambda finding: finding.line or places.line(finding.path))
    lines = list(dict.fromkeys(places.describe(finding) for finding in ordered))
    if len(lines) > MAX_FINDINGS:
        lines[MAX_FINDINGS:] = [f"... and {len(lines) - MAX_FINDINGS} more; correct these first"]
    return ConfigurationError("\n".join(lines))


def shown_path(path: FieldPath) -> str:
    """`("sites", 0, "rtt_ms")` as `sites[0].rtt_ms`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{printable(part)}" for part in path)
    return text.removeprefix(".")


def printable(text: str) -> str:
    """Somebody's text inside our message: one short line, whatever it holds."""
    short = text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "..."
    return short if short.isprintable() else short.encode("unicode_escape").decode("ascii")
