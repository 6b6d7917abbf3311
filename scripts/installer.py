"""Runs pip: progress while it works, one line when it fails, and nothing left running when it is stopped."""

import fcntl
import os
import re
import select
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.progress import PipReader, Progress
from scripts.trouble import Trouble, explain_pip

STOP_S = 5.0


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """One installation at a time in a tree: a second `./run` waits for the first."""
    descriptor = os.open(root / "requirements", os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another ./run that is installing", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def pip_command(python: Path, lock: Path, folder: Path | None = None) -> list[str]:
    """pip on one lock. Wheels only: a compiler that is missing, or slow, is no part of a first start.

    A lock names every package there is to install, so pip has nothing to resolve. Left to resolve, older ones take
    `coverage[toml]` for a package without a hash as soon as a newer coverage than the locked one is out.
    """
    flags = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--retries", "2", "--progress-bar", "off"]
    if folder is not None:
        flags += ["--target", str(folder)]
    # Isolated (-I) from PYTHONPATH and the folder one stands in; pip's own configuration (a proxy, a mirror) counts.
    return [str(python), "-I", "-m", "pip", "install", *flags, "--no-warn-script-location", "-r", str(lock)]


def count_packages(lock_text: str) -> int:
    """How many packages a lock names, whatever the platform."""
    return len(set(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==", lock_text, re.MULTILINE)))


def install(command: Sequence[str], lock: Path, place: Path, progress: Progress) -> None:
    """Raises Trouble with what to do when pip fails. `place` is the folder that it writes into."""
    reader = PipReader(count_packages(lock.read_text(encoding="utf-8")))
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        progress.tick(reader.detail(line))

    if run_lines(command, on_line, progress.tick) != 0:
        raise Trouble(explain_pip("\n".join(lines), place))


def run_lines(command: Sequence[str], on_line: Callable[[str], None], on_idle: Callable[[], None]) -> int:
    """Run a command, hand over each line it prints, call `on_idle` in each second without one; its exit code."""
    # A `user` installation configured by the user would land outside of the environment.
    environment = {**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as process:
        try:
            _read_lines(process, on_line, on_idle)
            return process.wait()
        finally:
            _end(process)


def _read_lines(process: subprocess.Popen[bytes], on_line: Callable[[str], None], on_idle: Callable[[], None]) -> None:
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    pending = b""
    while True:
        if not select.select([descriptor], [], [], 1.0)[0]:
            on_idle()
            continue
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        *whole, pending = (pending + chunk).split(b"\n")
        for line in whole:
            on_line(line.decode(errors="replace"))
    if pending:
        on_line(pending.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
