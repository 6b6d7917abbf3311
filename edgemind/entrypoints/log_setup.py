"""The one place where a server's logging is set up: lines to read, or JSON objects for machines; one record, one line.

What comes from outside (names, errors of others) can neither begin a line of its own nor move a terminal's cursor, and
keys that found their way into a message are taken out of it.
"""

import logging
import re
import sys
from typing import TYPE_CHECKING, TextIO

from edgemind.settings import LogFormat

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

TEXT_FORMAT = "%(asctime)s %(name)s %(levelname)s %(message)s"
FIELDS = ("trace_id",)
"""What a call may add by `extra={...}`."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KEYS = re.compile(r"(em_[0-9a-f]{4,}_)[A-Za-z0-9_-]{8,}|((?i:bearer)\s+)\S+")


def set_up_logging(logs: LogFormat, site: str, process: str, stream: TextIO | None = None) -> None:
    """From now on every record of this process goes to `stream` (stderr), replacing what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_json_lines(site, process) if logs is LogFormat.JSON else TextLines(TEXT_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # The start and stop of its servers is told by the command itself, once.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def without_keys(text: str) -> str:
    return _KEYS.sub(lambda found: f"{found[1] or found[2]}***", text)


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), without_keys(text))


class TextLines(logging.Formatter):
    """The lines of a traceback follow the record's own, marked, so that nothing in them looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the base class
        record.message = _escaped(record.message)
        line = super().formatMessage(record)
        told = [f"{name}={getattr(record, name)}" for name in FIELDS if getattr(record, name, None)]
        return " ".join([line, *map(_escaped, told)])

    def format(self, record: logging.LogRecord) -> str:
        first, *rest = super().format(record).split("\n")
        return "\n".join([first, *(f"  | {_escaped(line)}" for line in rest)])


def _json_lines(site: str, process: str) -> logging.Formatter:
    # Imported here: a server that writes text needs none of it.
    import orjson
    import structlog

    def placed(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
        return {"site": site, "process": process, **event}

    def cleaned(_: "WrappedLogger", __: str, event: "EventDict") -> "EventDict":
        return {name: without_keys(value) if isinstance(value, str) else value for name, value in event.items()}

    def rendered(_: "WrappedLogger", __: str, event: "EventDict") -> str:
        # JSON escapes what ends a line, and leaves what only some readers take for an end, or a terminal for a command.
        plain = orjson.dumps(event, default=str).decode()
        return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)

    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        placed,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            cleaned,
            rendered,
        ],
    )
