"""The demo's processes: each in its own group with its own log, all of them gone when the demo is."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from edgemind.errors import EdgeMindError
from edgemind.settings.environment import process_environment

POLL_S = 0.05
STOP_S = 4.0
"""From SIGTERM until whatever still runs is killed."""


class ProcessEnded(EdgeMindError):
    """A process of the demo ended although nobody asked it to."""


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """`python -m MODULE ARGUMENTS`. `ready_url` answers 200 once it serves. `site` is None for what belongs to none.

    `environment` is added to the demo's own. `niceness`: how far it gives way to the others, 0 to 19.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    ready_url: str
    site: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    niceness: int = 0


@dataclass(slots=True)
class Child:
    plan: ProcessPlan
    log: Path
    process: "subprocess.Popen[bytes]"
    ended: bool = field(default=False)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def obituary(self) -> str:
        """One line: what ended, how, and the last thing it said."""
        code = self.process.poll()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return f"{self.plan.name} ended by itself ({how}): {last_line(self.log)} (all of it: {self.log})"


class Processes:
    """Used as a context: leaving it kills what still runs."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[Child] = []
        self._lifeline, self._held = os.pipe()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(self.running())
        for child in self._children:
            child.process.wait()
        os.close(self._held)
        os.close(self._lifeline)

    def start(self, plan: ProcessPlan) -> Child:
        log = self._logs / f"{plan.name}.log"
        command = [sys.executable, "-m", "edgemind.entrypoints.demo.child", str(self._lifeline), str(plan.niceness)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, plan.module, *plan.arguments],
                env={**process_environment(), **plan.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lifeline,),
                # A group of its own: Ctrl-C in the terminal reaches the demo alone, which then stops them in order.
                start_new_session=True,
            )
        child = Child(plan, log, process)
        self._children.append(child)
        return child

    def running(self) -> list[Child]:
        return [child for child in self._children if child.running]

    def kill_site(self, site: str) -> int:
        """End every process of a site at once; how many there were."""
        children = [child for child in self.running() if child.plan.site == site]
        self.kill(children)
        return len(children)

    def restart_site(self, site: str) -> int:
        """Start every process of a site that is killed once more; how many there are."""
        gone = [child for child in self._children if child.plan.site == site and not child.running]
        for child in gone:
            child.process.wait()
            self._children.remove(child)
            self.start(child.plan)
        return len(gone)

    def kill(self, children: Sequence[Child]) -> None:
        """End them at once, without a goodbye; they do not count as ended by themselves."""
        for child in children:
            child.ended = True
            _signal_group(child, signal.SIGKILL)

    def newly_ended(self) -> Iterator[Child]:
        """Those that ended by themselves since the last call."""
        for child in self._children:
            if not child.ended and not child.running:
                child.ended = True
                yield child

    async def stop(self) -> None:
        """Ask all to stop, wait, and kill what has not stopped in time."""
        for child in self._children:
            child.ended = True
            if child.running:
                _signal_group(child, signal.SIGTERM)
        give_up_s = time.monotonic() + STOP_S
        while self.running() and time.monotonic() < give_up_s:  # noqa: ASYNC110 - no loop knows when they end
            await asyncio.sleep(POLL_S)
        self.kill(self.running())


def last_line(log: Path) -> str:
    """The last line with something on it, shortened; never raises, for it is part of other messages."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 4096))
            lines = stream.read().decode("utf-8", "replace").split("\n")
    except OSError as exc:
        return f"its log cannot be read ({exc.strerror})"
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it said nothing")


def _signal_group(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except (ProcessLookupError, PermissionError):
        # It ended in this moment; macOS says EPERM of a group in which nobody is left.
        return
