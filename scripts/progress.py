"""Tells a person what a long step is doing, without flooding a log."""

import re
import time
from collections.abc import Callable
from typing import TextIO

QUIET_S = 10.0
# `Processing` and a path is what pip says of a wheel in a folder that the user configured.
PIP_LINE = re.compile(
    r"\s*(?P<verb>Collecting|Downloading|Using cached|Processing)\s+(?:\S*/)?(?P<name>[A-Za-z0-9_.-]+?)(==|-\d|\s|$)"
)


class Progress:
    """One step at a time: rewrites its line on a terminal, prints a plain line every QUIET_S elsewhere."""

    def __init__(self, stream: TextIO, now_s: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now_s = now_s
        self._live = stream.isatty()
        self._title = ""
        self._detail = ""
        self._started_s = 0.0
        self._printed_s = 0.0

    def start(self, title: str) -> None:
        self._title, self._detail = title, ""
        self._started_s = self._printed_s = self._now_s()
        self._write(f"{title} ...", end="" if self._live else "\n")

    def tick(self, detail: str | None = None) -> None:
        """Call it often: it decides whether anything is due."""
        self._detail = detail or self._detail
        now_s = self._now_s()
        if self._live and (detail or now_s - self._printed_s >= 1.0):
            self._write(self._line(now_s), end="")
            self._printed_s = now_s
        elif not self._live and now_s - self._printed_s >= QUIET_S:
            self._write(self._line(now_s), end="\n")
            self._printed_s = now_s

    def finish(self, outcome: str = "done") -> None:
        self._write(f"{self._title}: {outcome} ({self._now_s() - self._started_s:.0f} s)", end="\n")

    def _line(self, now_s: float) -> str:
        detail = f": {self._detail}" if self._detail else ""
        return f"{self._title}{detail} ({now_s - self._started_s:.0f} s)"

    def _write(self, line: str, end: str) -> None:
        if self._live:
            # Back to the start of the line, and wipe what the longer line before left.
            line = f"\r\x1b[K{line[:118]}"
        self._stream.write(line + end)
        self._stream.flush()


class PipReader:
    """Turns pip's lines into details such as `downloading streamlit (12 of about 60)`."""

    def __init__(self, packages: int) -> None:
        self._packages = packages
        self._seen: set[str] = set()

    def detail(self, line: str) -> str | None:
        """What to show for this line of pip's; None if it says nothing new."""
        if line.startswith("Installing collected packages"):
            return f"unpacking {len(self._seen)} packages"
        found = PIP_LINE.match(line)
        if not found:
            return None
        name = found["name"].replace("_", "-").lower()
        self._seen.add(name)
        verb = "collecting" if found["verb"] in ("Collecting", "Processing") else "downloading"
        return f"{verb} {name} ({len(self._seen)} of about {self._packages})"
