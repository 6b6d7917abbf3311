"""YAML text as plain values, with the line that every value stands on.

YAML is read by its JSON-like core: `off` and `12:30` stay text, tags and merge keys are refused. Depth and number of
values are bounded before anything is built, so that no file (an alias bomb, say) costs more than a moment.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent, DocumentStartEvent, NodeEvent
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edgemind.settings.findings import FieldPath, Finding, Places, refusal

MAX_DEPTH = 24
MAX_VALUES = 100_000
MAX_NUMBER_CHARS = 64

# The C parser reads the same YAML five times as fast; some builds of PyYAML lack it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "str", "timestamp", "value", "merge"))
_QUOTED = frozenset("'\"|>")
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
    builder = _Builder(text)
    try:
        _refuse_extremes(text, builder)
        node = yaml.compose(text, Loader=_Loader)
        if node is not None:
            builder.document.data = builder.build(node, ())
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = builder.line_of(mark)
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


def _refuse_extremes(text: str, builder: "_Builder") -> None:
    """Look at the events first: composing is recursive, and a million brackets would exhaust the stack."""
    depth = values = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = builder.line_of(event.start_mark)
        values += isinstance(event, NodeEvent)
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        if depth > MAX_DEPTH:
            raise _Refused(f"is nested more than {MAX_DEPTH} deep; a fleet needs six levels", line)
        if values > 2 * MAX_VALUES:
            raise _Refused(f"holds more than {MAX_VALUES} values; split the fleet into metros", line)
        if documents > 1:
            raise _Refused("starts a second document; keep one and remove the '---'", line)


class _Builder:
    """Turns composed nodes into plain values, and notes lines and findings on the way."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self._ends = [index for index, char in enumerate(text) if char == "\n"]
        self._values = 0

    def line_of(self, mark: Any) -> int:
        """The line as editors count it, 1 without a mark. YAML's own line numbers also count Unicode separators."""
        return bisect_right(self._ends, mark.index - 1) + 1 if mark else 1

    def build(self, node: Node, path: FieldPath) -> object:
        line = self.line_of(node.start_mark)
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise _Refused("repeats itself through aliases (*name) without end; write the values out", line)
        self.document.lines.setdefault(path, line)
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, (*path, position)) for position, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and node.tag in _SCALAR_TAGS:
            return self._scalar(node, path)
        tag = node.tag.replace(_TAG, "!!")[:40]
        self._note(path, f"has the tag {tag!r}, which means nothing here; write the plain value", line)
        return None

    def _scalar(self, node: ScalarNode, path: FieldPath) -> object:
        if node.style not in _QUOTED or not node.style:
            return plain_value(node.value)
        if any("\ud800" <= char <= "\udfff" for char in node.value):
            self._note(path, "holds half of a surrogate pair; write the character itself", self.document.lines[path])
            return None
        return str(node.value)

    def _mapping(self, node: MappingNode, path: FieldPath) -> dict[str, object]:
        values: dict[str, object] = {}
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = self.line_of(key_node.start_mark)
            if not isinstance(key_node, ScalarNode):
                self._note(path, "has a key that is a list or a mapping; a key is one word", line)
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
