"""YAML text as plain values, with the line that every value stands on.

YAML is read by its JSON-like core: `off` and `12:30` stay text, tags and merge keys are refused. Depth and number of
values are bounded before anything is built, so that no file (an alias bomb, say) costs more than a moment.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode

from edgemind.settings.findings import FieldPath, Finding, Places, printable, refusal

MAX_DEPTH = 24
MAX_VALUES = 100_000
MAX_NUMBER_CHARS = 64

# The C parser reads the same YAML five times as fast; some builds of PyYAML lack it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_NAMES = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value", "merge")
_TAGS = frozenset(_TAG + name for name in _NAMES)
_QUOTED = frozenset("'\"|>")
# Only the Python parser lets an escape such as "\\ud800" through; no JSON or UTF-8 text can hold it.
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | float | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS |= {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


@dataclass(slots=True)
class Document:
    """`data` holds str, int, float, bool, None, list and dict. A key without a value is left out of `data`, but has its
    line and stands in `empty`, so that `models:` with nothing below it counts as absent."""

    data: object = None
    lines: dict[FieldPath, int] = field(default_factory=dict)
    empty: list[FieldPath] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def plain_value(text: str) -> str | int | float | bool | None:
    """An unquoted scalar as its value: true, null, 10 and 0.8 are not text."""
    word = text if text in _WORDS else text.lower()
    if word in _WORDS:
        return _WORDS[word]
    if len(text) <= MAX_NUMBER_CHARS:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text


def parse_document(text: str, file: str) -> Document:
    """Read YAML text; ConfigurationError with the line if it is not YAML, or larger or deeper than any fleet needs."""
    builder = _Builder()
    try:
        _refuse_extremes(text)
        node = yaml.compose(text, Loader=_Loader)
        if node is not None:
            builder.document.data = builder.build(node, ())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        # What is missing at the end is reported behind it, where no editor can go.
        line = min(_line(mark), text.rstrip().count("\n") + 1)
        problem = " ".join(part for part in (exc.context, exc.problem) if part)
        raise refusal([Finding((), f"is not valid YAML: {problem}; correct this line", line)], Places(file)) from None
    except yaml.YAMLError as exc:
        raise refusal([Finding((), f"is not valid YAML: {exc}; correct it", 1)], Places(file)) from None
    except _Refused as exc:
        raise refusal([exc.finding], Places(file)) from None
    return builder.document


class _Refused(Exception):
    """The document as a whole is unacceptable: nothing else about it is worth saying."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.finding = Finding((), message, line)


def _line(mark: Any) -> int:
    """The line of a YAML mark, from 1; 1 without a mark."""
    return int(mark.line) + 1 if mark else 1


def _refuse_extremes(text: str) -> None:
    """Look at the events first: composing is recursive, and a million brackets would exhaust the stack."""
    depth = values = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = _line(event.start_mark)
        values += isinstance(event, NodeEvent)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise _Refused(f"is nested more than {MAX_DEPTH} deep; a fleet needs six levels", line)
        if values > MAX_VALUES:
            raise _Refused(f"holds more than {MAX_VALUES} values; split the fleet into metros", line)
        if documents > 1:
            raise _Refused("starts a second document; keep one and remove the '---'", line)


class _Builder:
    """Turns composed nodes into plain values, and notes lines and findings on the way."""

    def __init__(self) -> None:
        self.document = Document()
        self._values = 0

    def build(self, node: Node, path: FieldPath) -> object:
        line = _line(node.start_mark)
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise _Refused("repeats itself through aliases (*name) without end; write the values out", line)
        self.document.lines.setdefault(path, line)
        if node.tag not in _TAGS:
            self._note(
                path, f"has the tag '{printable(node.tag)}', which means nothing here; write the plain value", line
            )
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        return [self.build(item, (*path, position)) for position, item in enumerate(node.value)]

    def _scalar(self, node: ScalarNode, path: FieldPath) -> object:
        if _HALF_PAIR.search(node.value):
            self._note(path, "holds half of a surrogate pair; write the character itself", self.document.lines[path])
            return None
        return str(node.value) if node.style in _QUOTED else plain_value(node.value)

    def _mapping(self, node: MappingNode, path: FieldPath) -> dict[str, object]:
        values: dict[str, object] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = _line(key_node.start_mark)
            if not isinstance(key_node, ScalarNode) or _HALF_PAIR.search(key_node.value):
                self._note(path, "has a key that is no plain word; write one", line)
                continue
            key = str(key_node.value)
            if key_node.tag == _TAG + "merge":
                self._note((*path, key), "merge keys are not supported; write the fields out", line)
            elif key in seen:
                self._note((*path, key), f"stands here a second time (first in line {seen[key]}); keep one", line)
            else:
                seen[key] = self.document.lines[(*path, key)] = line
                value = self.build(value_node, (*path, key))
                if value is None:
                    self.document.empty.append((*path, key))
                else:
                    values[key] = value
        return values

    def _note(self, path: FieldPath, message: str, line: int) -> None:
        self.document.findings.append(Finding(path, message, line))
