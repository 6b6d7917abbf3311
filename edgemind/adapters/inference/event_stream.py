"""Amazon's binary event stream: frames with a checksum over their head and one over the whole, and headers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from botocore.eventstream import EventStreamBuffer, ParserError


class FrameDamaged(Exception):
    """A checksum or a length is wrong: nothing that follows can be told apart either."""


class Frame(NamedTuple):
    """`kind` is `event`, `exception` or `error`; `name` says which one."""

    kind: str
    name: str
    payload: bytes


_NAMES = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}


class FrameReader:
    """Bytes as they come in, whole frames out."""

    def __init__(self) -> None:
        self._buffer = EventStreamBuffer()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Raises FrameDamaged."""
        self._buffer.add_data(data)
        try:
            for message in self._buffer:
                headers = cast("Mapping[str, Any]", message.headers)
                kind = str(headers.get(":message-type", "event"))
                name = str(headers.get(_NAMES.get(kind, ""), ""))
                yield Frame(kind, name, message.payload or _error_message(headers))
        except ParserError as exc:
            raise FrameDamaged(str(exc)) from exc


def _error_message(headers: Mapping[str, Any]) -> bytes:
    """An `error` has no payload, only a message among its headers: in the form that exceptions have."""
    return json.dumps({"message": str(headers.get(":error-message", ""))}).encode()
