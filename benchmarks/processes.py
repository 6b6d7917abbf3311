"""Processes of a benchmark: started on given cores, ready when they answer rightly, always stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow

from benchmarks.machine import pinned

_FIRST_PORT, _PORTS, _PORT_TRIES = 20_000, 12_000, 100
REPOSITORY = Path(__file__).resolve().parent.parent


class StartError(Exception):
    """A process did not come up; the message is its reason in one line."""


@dataclass(frozen=True, slots=True)
class Running:
    """`exit_status()` is None while it runs, negative for a signal, as in `subprocess`."""

    pid: int
    exit_status: Callable[[], int | None]


def free_port() -> int:
    """A port that nothing listens on, outside the range from which the kernel serves outgoing connections.

    Within it, any connection of the machine could take the port between this call and the bind.
    """
    for _ in range(_PORT_TRIES):
        port = _FIRST_PORT + randbelow(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartError(f"no free port between {_FIRST_PORT} and {_FIRST_PORT + _PORTS}")


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it printed nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The process leads its own session, so that its children go with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=5.0)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def running(command: Sequence[str], cores: frozenset[int], log: Path) -> Iterator[Running]:
    """Run `command` from the repository root on `cores` until the block ends. Raises StartError if it is not there."""
    with log.open("wb") as output:
        try:
            with pinned(cores):
                process = subprocess.Popen(
                    command,
                    cwd=REPOSITORY,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as missing:
            raise StartError(f"{command[0]} cannot be run: {missing.strerror}") from missing
        try:
            yield Running(process.pid, process.poll)
        finally:
            _stop(process)


def wait_until(is_ready: Callable[[], bool], process: Running, log: Path, timeout_s: float) -> None:
    """Return when `is_ready()`. Raises StartError if the process ends first or takes longer than `timeout_s`."""
    deadline_s = time.monotonic() + timeout_s
    while not is_ready():
        if process.exit_status() is not None:
            raise StartError(f"it ended at once: {_last_line(log)}")
        if time.monotonic() > deadline_s:
            raise StartError(f"no right answer within {timeout_s:.0f} s; its last line: {_last_line(log)}")
        time.sleep(0.05)
