"""The page's wire against real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dashboard.connection import Connection
from dashboard.http_calls import Answer, http_get
from dashboard.trouble import FleetTrouble
from tests.support.serving import free_port


@contextmanager
def answering(raw: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request and answers with these bytes, whatever was asked."""
    seen: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(65536))
            connection.sendall(raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        thread.join()


def test_the_token_is_sent_and_the_prefix_of_the_address_is_kept() -> None:
    with answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}") as (url, seen):
        assert http_get(Connection(url + "/fleet-of-mine", "look"), "fleet") == Answer(200, b"{}")
    assert seen[0].startswith(b"GET /fleet-of-mine/edgemind/v1/fleet HTTP/1.1\r\n")
    assert b"authorization: Bearer look\r\n" in seen[0]


def test_a_redirect_is_not_followed_for_the_token_is_for_this_address_only() -> None:
    with answering(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n") as (url, _):
        assert http_get(Connection(url, "look"), "fleet").status == 302


def test_where_nobody_listens_it_says_what_to_do() -> None:
    with pytest.raises(FleetTrouble, match=r"Nothing answers at .* \(connection refused\)\. Start a controller"):
        http_get(Connection(f"http://127.0.0.1:{free_port()}"), "fleet")


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort"])
def test_what_speaks_no_http_or_breaks_off_is_trouble(raw: bytes) -> None:
    with answering(raw) as (url, _), pytest.raises(FleetTrouble, match="Nothing answers at"):
        http_get(Connection(url), "fleet")
