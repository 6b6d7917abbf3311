"""What the examples share: processes that are started, waited for, and gone at the end, however it comes.

Nothing here belongs to EdgeMind: on your machines systemd, a container runtime or a terminal does this.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Self
from urllib.parse import urlsplit

READY_WITHIN_S = 60.0
STOPS_WITHIN_S = 10.0


class Processes:
    """Use it as a context manager. `folder` is a temporary one, with a log file for each process."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.environment = {**os.environ, **(environment or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._temporary = tempfile.TemporaryDirectory(prefix="edgemind-example-")
        self.folder = Path(self._temporary.name)

    def __enter__(self) -> Self:
        # Without this a SIGTERM would end the script at once, and leave what it started behind.
        signal.signal(signal.SIGTERM, _exit)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._temporary.cleanup()

    def edgemind(self, name: str, *arguments: str, ready: str) -> None:
        """Start `edgemind ARGUMENTS` and wait until it is `ready`, as `start` does."""
        self.start(name, [sys.executable, "-m", "edgemind", *arguments], ready=ready)

    def start(self, name: str, command: Sequence[str], *, ready: str) -> None:
        """Wait until the URL `ready` answers 200, or, if it is no URL, until the process has printed it.

        SystemExit with what it printed if that never comes.
        """
        log = self.folder / f"{name}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=self.folder, env=self.environment)
        self._running[name] = process
        until_s = time.monotonic() + READY_WITHIN_S
        while not (_answers(ready) if ready.startswith("http") else ready in log.read_text(encoding="utf-8")):
            if process.poll() is not None or time.monotonic() > until_s:
                sys.exit(f"{name} did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """At once and without a goodbye, as when a machine loses its power."""
        process = self._running.pop(name)
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
