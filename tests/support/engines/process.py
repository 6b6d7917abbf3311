"""An engine as a process of its own: started on a free port, waited for, ended."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 60.0
"""Until an engine that does not listen is given up; nothing is asserted about how soon it does."""


@contextlib.contextmanager
def listening(
    command: Sequence[str], port: int, log: Path, environment: Mapping[str, str], folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The process once it listens on 127.0.0.1:`port`; it is ended with the block. Its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(environment), cwd=folder)
    try:
        _wait(process, port, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, f"the engine ended at once: {log.read_text(errors='replace')}"
            assert time.monotonic() < give_up_s, f"the engine never listened: {log.read_text(errors='replace')}"
            time.sleep(0.05)
        else:
            return
