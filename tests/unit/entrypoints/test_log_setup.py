"""One record is one line, whatever is in it; as text, and as JSON."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from edgemind.entrypoints.log_setup import set_up_logging
from edgemind.settings import LogFormat

HOSTILE = "model\n2026-01-01 edgemind ERROR all is lost\r\x1b[2J\u2028\x00\x9b"
KEY = "em_9b80e927_abcdefghijklmnopqrstuvwx"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn")
    before, level, uvicorn_level = list(root.handlers), root.level, uvicorn.level
    root.handlers = []
    yield
    root.handlers = before
    root.setLevel(level)
    uvicorn.setLevel(uvicorn_level)


def lines(logs: LogFormat, *, fails: bool = False) -> list[str]:
    """What a hostile record, with a key in it, becomes."""
    stream = io.StringIO()
    set_up_logging(logs, "site-a", "gateway", stream)
    log = logging.getLogger("edgemind.test")
    try:
        if fails:
            raise ValueError(HOSTILE + KEY)
        log.warning("no model %s for Bearer %s", HOSTILE, KEY, extra={"trace_id": TRACE, "prompt": "secret words"})
    except ValueError:
        log.exception("it failed")
    return stream.getvalue().splitlines()


def test_text_is_one_line_in_which_nothing_moves() -> None:
    (line,) = lines(LogFormat.TEXT)
    assert line.isprintable()
    assert "edgemind.test WARNING no model model\\n2026-01-01" in line
    assert line.endswith(f"trace_id={TRACE}")
    assert KEY not in line
    assert "secret words" not in line


def test_a_traceback_cannot_be_taken_for_records() -> None:
    first, *rest = lines(LogFormat.TEXT, fails=True)
    assert first.endswith("ERROR it failed")
    assert rest
    assert all(line.startswith("  | ") and line.isprintable() for line in rest)
    assert KEY not in "".join(rest)


def test_json_is_an_object_a_line_with_the_fields_that_operators_ask_by() -> None:
    (line,) = lines(LogFormat.JSON)
    told = json.loads(line)
    assert {name: told[name] for name in ("site", "process", "level", "logger", "trace_id")} == {
        "site": "site-a", "process": "gateway", "level": "warning", "logger": "edgemind.test", "trace_id": TRACE
    }  # fmt: skip
    assert told["event"].startswith(f"no model {HOSTILE}")
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() == timedelta(0)
    assert KEY not in line
    assert "prompt" not in told


def test_json_keeps_a_traceback_in_its_line() -> None:
    (line,) = lines(LogFormat.JSON, fails=True)
    assert "ValueError: model" in json.loads(line)["exception"]
    assert KEY not in line


def test_setting_it_up_again_tells_each_record_once() -> None:
    stream = io.StringIO()
    for _ in range(3):
        set_up_logging(LogFormat.TEXT, "site-a", "gateway", stream)
    logging.getLogger("edgemind.test").error("once")
    assert stream.getvalue().count("once") == 1


def test_a_gateway_without_telemetry_imports_none_of_it() -> None:
    code = (
        "import sys, edgemind.entrypoints.gateway.command, edgemind.entrypoints.gateway.worker;"
        "heavy = {'opentelemetry', 'structlog', 'google', 'requests'};"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
