"""Spans as JSON lines, for a person who wants to see them without any receiver."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TextIO

import orjson

from edgemind.domain.spans import Span


class ConsoleSpans:
    """A SpanExporter that writes one object a span."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def export(self, spans: Sequence[Span]) -> bool:
        lines = b"".join(orjson.dumps({"span": asdict(span)}, option=orjson.OPT_APPEND_NEWLINE) for span in spans)
        self._stream.write(lines.decode())
        self._stream.flush()
        return True
