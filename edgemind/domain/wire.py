"""Typed reading of documents that another process sent: what we know is checked, what we do not know is ignored.

A fleet runs version N beside N-1: newer senders only add fields, so an unknown field is never an error, and a missing
one is an error only where nothing sensible can stand in for it.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from edgemind.errors import PermanentError

NAME_LIMIT = 256
ENTRIES_LIMIT = 4096
LONG_TEXT_LIMIT = 2048
_REQUIRED = object()


def is_number(value: object) -> TypeGuard[int | float]:
    """Of any sign. JSON can hold whole numbers that no float can, and Python also reads infinities from it."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


class DocumentInvalid(PermanentError):
    """A document from another process cannot be read; the message names the field."""


class Fields:
    """The fields of one JSON object. Every reader raises DocumentInvalid with the field's full path."""

    __slots__ = ("_at", "_document")

    def __init__(self, document: object, at: str) -> None:
        if not isinstance(document, Mapping):
            raise DocumentInvalid(f"{at} must be an object, not {_kind(document)}")
        self._document: Mapping[str, object] = document
        self._at = at

    def text(self, name: str) -> str:
        value = self._document.get(name)
        if not isinstance(value, str) or not value or len(value) > NAME_LIMIT:
            raise self._wrong(name, f"text of 1 to {NAME_LIMIT} characters", value)
        return value

    def texts(self, name: str, limit: int = ENTRIES_LIMIT, chars: int = NAME_LIMIT) -> tuple[str, ...]:
        """A list of at most `limit` different texts; absent is empty."""
        value = self._document.get(name)
        if value is None:
            return ()
        wanted = f"a list of at most {limit} different texts of 1 to {chars} characters"
        if not isinstance(value, list | tuple) or len(value) > limit:
            raise self._wrong(name, wanted, value)
        if not all(isinstance(text, str) and 0 < len(text) <= chars for text in value) or len(set(value)) < len(value):
            raise self._wrong(name, wanted, value)
        return tuple(value)

    def text_or_none(self, name: str) -> str | None:
        return None if self._document.get(name) is None else self.text(name)

    def long_text(self, name: str, default: str | None = None) -> str:
        """Any text up to LONG_TEXT_LIMIT, empty too: names put together, words for people."""
        value = self._document.get(name, default)
        if not isinstance(value, str) or len(value) > LONG_TEXT_LIMIT:
            raise self._wrong(name, f"text of at most {LONG_TEXT_LIMIT} characters", value)
        return value

    def anything(self, name: str) -> object:
        """What is there, unread; null if it is absent."""
        return self._document.get(name)

    def count(self, name: str, default: int | None = None, limit: int | None = None) -> int:
        """A whole number >= 0, and <= `limit` if there is one."""
        value = self._document.get(name, _REQUIRED)
        if value is _REQUIRED and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(name, "a whole number >= 0", value)
        if limit is not None and value > limit:
            raise self._wrong(name, f"a whole number up to {limit}", value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number >= 0."""
        value = self._document.get(name, _REQUIRED)
        if value is _REQUIRED and default is not None:
            return default
        if not is_number(value) or value < 0:
            raise self._wrong(name, "a number >= 0", value)
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        return None if self._document.get(name) is None else self.number(name)

    def flag(self, name: str, default: bool) -> bool:
        value = self._document.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def objects(self, name: str) -> dict[str, "Fields"]:
        """An object of objects by name; absent is empty."""
        return {key: Fields(value, f"{self._at}.{name}.{key}") for key, value in self._entries(name).items()}

    def required_object(self, name: str) -> "Fields":
        """An object that has to be there."""
        value = self._document.get(name, _REQUIRED)
        if value is _REQUIRED:
            raise self._wrong(name, "an object", value)
        return Fields(value, f"{self._at}.{name}")

    def object_or_none(self, name: str) -> "Fields | None":
        return None if self._document.get(name) is None else self.required_object(name)

    def object_or_empty(self, name: str) -> "Fields":
        return Fields(self._entries(name), f"{self._at}.{name}")

    def numbers(self, name: str) -> dict[str, float]:
        """An object of numbers by name; absent is empty."""
        entries = self.object_or_empty(name)
        return {key: entries.number(key) for key in entries._document}

    def counts(self, name: str) -> dict[str, int]:
        """An object of whole numbers by name; absent is empty."""
        entries = self.object_or_empty(name)
        return {key: entries.count(key) for key in entries._document}

    def listed(self, name: str) -> list["Fields"]:
        """A list of objects; absent is empty."""
        value = self._document.get(name)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) > ENTRIES_LIMIT:
            raise self._wrong(name, f"a list of at most {ENTRIES_LIMIT} objects", value)
        return [Fields(entry, f"{self._at}.{name}[{index}]") for index, entry in enumerate(value)]

    def value(self, name: str) -> object:
        """As it came, for a reader of its own; None if it is missing."""
        return self._document.get(name)

    def invalid(self, name: str, wanted: str) -> DocumentInvalid:
        """The error of a field that is of the right type and says what cannot be."""
        return self._wrong(name, wanted, self._document.get(name))

    def names(self, name: str) -> tuple[str, ...]:
        """The names in an object; absent is empty."""
        return tuple(self._entries(name))

    def _entries(self, name: str) -> Mapping[str, object]:
        value = self._document.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping) or len(value) > ENTRIES_LIMIT:
            raise self._wrong(name, f"an object with at most {ENTRIES_LIMIT} names", value)
        return value

    def _wrong(self, name: str, wanted: str, value: object) -> DocumentInvalid:
        found = "missing" if value is _REQUIRED or name not in self._document else _kind(value)
        return DocumentInvalid(f"{self._at}.{name} must be {wanted}, but is {found}")


def _kind(value: object) -> str:
    """What was found, short enough for a log line whatever the sender put there."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(value)[:40]
