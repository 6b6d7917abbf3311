"""Runs `edgemind demo` as a user does, in a folder and on ports of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.free_ports import free_base_port

ROOT = Path(__file__).resolve().parents[2]
SERVING = "Ctrl-C"
"""In the last line before the traffic."""


class DemoRun:
    """A demo under way in `folder`; what it prints is in `printed()`."""

    def __init__(self, folder: Path, *flags: str, base_port: int | None = None, page: bool = False) -> None:
        self.folder = folder
        self.base_port = base_port or free_base_port()
        self._output = folder / f"demo-{time.monotonic_ns()}.txt"
        command = edgemind("demo", *([] if page else ["--no-dashboard"]), "--base-port", str(self.base_port), *flags)
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def until(self, text: str, limit_s: float = 120.0) -> str:
        """Everything printed, once `text` is in it."""
        give_up_s = time.monotonic() + limit_s
        while text not in (printed := self.printed()):
            assert self.process.poll() is None, f"the demo ended without {text!r}:\n{printed}"
            assert time.monotonic() < give_up_s, f"no {text!r} within {limit_s} s:\n{printed}\n{self.logs()}"
            time.sleep(0.05)
        return printed

    def ended(self, limit_s: float = 120.0) -> int:
        return self.process.wait(limit_s)

    def logs(self) -> str:
        logs = sorted((self.folder / ".edgemind" / "demo" / "logs").glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in logs)

    def report(self, name: str = "r.json") -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / name).read_text())
        return document


@contextmanager
def demo_run(folder: Path, *flags: str, base_port: int | None = None, page: bool = False) -> Iterator[DemoRun]:
    """A demo that is gone at the end of the block, and its processes with it."""
    run = DemoRun(folder, *flags, base_port=base_port, page=page)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        until_none_is_left(folder)


def edgemind(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgemind", *arguments]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGEMIND_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def processes_in(folder: Path) -> list[str]:
    """Command lines of the demo's processes that run in `folder`; zombies have none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if "edgemind" in command and (process / "cwd").readlink() == folder.resolve():
                found.append(f"{process.name} {command}")
        except OSError:
            continue
    return found


def until_none_is_left(folder: Path, limit_s: float = 20.0) -> None:
    give_up_s = time.monotonic() + limit_s
    while left := processes_in(folder):
        assert time.monotonic() < give_up_s, left
        time.sleep(0.05)
