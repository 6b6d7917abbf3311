"""deploy/docker/healthcheck.py as containers run it: an exit code and, when something is wrong, one line."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "docker" / "healthcheck.py"


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A port where the first caller gets `reply` to its request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, reply))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _answer(listener: socket.socket, reply: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(reply)


def check(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("url", "reply", "code"),
    [
        ("http://127.0.0.1:{port}/healthz", b"HTTP/1.1 200 OK\r\n\r\n", 0),
        ("http://127.0.0.1:{port}/healthz", b"HTTP/1.0 200 OK\r\n\r\n", 0),
        ("http://127.0.0.1:{port}/healthz", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1),
        ("http://127.0.0.1:{port}/healthz", b"200", 1),
        ("redis://127.0.0.1:{port}", b"+PONG\r\n", 0),
        ("redis://127.0.0.1:{port}", b"-LOADING Valkey is loading\r\n", 1),
    ],
)
def test_what_listens_is_judged_by_its_answer(url: str, reply: bytes, code: int) -> None:
    with answering(reply) as port:
        found, said = check(url.format(port=port))
    assert found == code
    assert (said == "") is (code == 0)


def test_nobody_there_and_no_url_are_trouble() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert check(f"http://127.0.0.1:{port}/")[0] == 1
    assert check("ftp://127.0.0.1:1/") == (
        1,
        "ftp://127.0.0.1:1/: no http://, redis:// or file:// URL: ftp://127.0.0.1:1/\n",
    )
    assert check()[0] == 1


def test_a_file_must_have_been_written_lately(tmp_path: Path) -> None:
    file = tmp_path / "devices.json"
    assert check(f"file://{file}")[0] == 1
    file.touch()
    assert check(f"file://{file}") == (0, "")
    written_s = file.stat().st_mtime - 60
    os.utime(file, (written_s, written_s))
    code, said = check(f"file://{file}")
    assert code == 1
    assert "was last written 60 s ago" in said
