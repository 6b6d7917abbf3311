"""A validator's error in words a person would say: what is wrong, and what to write instead."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

from pydantic_core import ErrorDetails

from edgemind.domain.bounds import OutOfBounds
from edgemind.settings.fields import PATTERN_WORDS
from edgemind.settings.findings import FieldPath, Finding, printable
from edgemind.settings.schema import field_schema, known_keys

_PERCENT = 100
_EXPECTED = {
    "int": "a whole number, such as 10",
    "float": "a number, such as 0.5",
    "finite": "a finite number",
    "string": "text, in quotes if it looks like something else",
    "list": "a list: one '- ...' line each",
    "tuple": "a list: one '- ...' line each",
    "frozen": "a list, such as [a, b]",
    "dict": "a mapping: one 'key: value' line each",
    "model": "a mapping: one 'key: value' line each",
    "dataclass": "a mapping: one 'key: value' line each",
}
"""What to write, by the first word of an error type such as `int_type` or `frozen_set_type`."""


def explain(error: ErrorDetails) -> Finding:
    """One validation error as a finding. Input is repeated only where it is a number or short text."""
    path: FieldPath = tuple(part for part in error["loc"] if part != "[key]")
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, OutOfBounds):
        path = (*path, *reason.field.split("."))
    say = _WORDING.get(error["type"], _wrong_type)
    return Finding(path, say(path, error))


def unknown_key(path: FieldPath, _: object = None) -> str:
    known = known_keys(path[:-1])
    return f"unknown key; {closest(str(path[-1]), known)}"


def closest(given: str, known: Sequence[str]) -> str:
    """`did you mean 'slots'?`, or the names there are."""
    near = get_close_matches(given.lower(), known, n=1, cutoff=0.55)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known here: {', '.join(known)}" if known else "remove it"


def not_one_of(value: object, known: Sequence[str]) -> str:
    near = get_close_matches(str(value).lower(), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "correct it"
    return f"is {shown(value)}, not one of {', '.join(known)}; {hint}"


def shown(value: object) -> str:
    """A value inside a message: numbers and short text as they are, anything else by its kind."""
    if isinstance(value, str):
        return f"'{printable(value)}'"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return printable(str(value))
    if value is None:
        return "empty"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _missing(path: FieldPath, _: ErrorDetails) -> str:
    return f"is missing; add {path[-1]}: {_example(path)}"


def _empty(path: FieldPath, _: ErrorDetails) -> str:
    return f"is empty; declare at least one: {_example(path)}"


def _too_many(_: FieldPath, error: ErrorDetails) -> str:
    context = error["ctx"]
    return f"has {context['actual_length']} entries; at most {context['max_length']} are read"


def _own_words(_: FieldPath, error: ErrorDetails) -> str:
    return str(error["ctx"]["error"])


def _no_such_name(path: FieldPath, error: ErrorDetails) -> str:
    return not_one_of(error["input"], field_schema(path).get("enum", ()))


def _malformed(_: FieldPath, error: ErrorDetails) -> str:
    return f"{shown(error['input'])} cannot be used; {PATTERN_WORDS[error['ctx']['pattern']]}"


def _wrong_type(_: FieldPath, error: ErrorDetails) -> str:
    expected = _EXPECTED.get(error["type"].split("_")[0])
    return f"is {shown(error['input'])}; write {expected}" if expected else f"{error['msg']}; see docs/configuration.md"


def _outside(path: FieldPath, error: ErrorDetails) -> str:
    node, value = field_schema(path), error["input"]
    unit = node.get("unit", "")
    if unit == "ratio" and 1 < value <= _PERCENT:
        return f"is {value:g}, but it is a ratio from 0 to 1; write {value / _PERCENT:g}"
    allowed = f"from {number(node['minimum'])} to {number(node['maximum'])}"
    return f"is {shown(value)}; write a value {allowed}{f' {unit}' if unit and unit != 'ratio' else ''}"


def _example(path: FieldPath) -> str:
    node = field_schema(path)
    examples = node.get("examples")
    return str(examples[0]) if examples else str(node.get("description", "a value"))


def number(value: float) -> str:
    """A bound without a trailing `.0`, and never in powers of ten."""
    return str(int(value)) if float(value).is_integer() else str(value)


_WORDING: Mapping[str, Callable[[FieldPath, ErrorDetails], str]] = {
    "extra_forbidden": unknown_key,
    "unexpected_keyword_argument": unknown_key,
    "missing": _missing,
    "value_error": _own_words,
    "greater_than_equal": _outside,
    "less_than_equal": _outside,
    "enum": _no_such_name,
    "string_pattern_mismatch": _malformed,
    "too_short": _empty,
    "too_long": _too_many,
}
"""How to say an error of each type; any other is a value of the wrong type."""
