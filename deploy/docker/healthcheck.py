"""`healthcheck URL`: exit code 0 if what listens there is well. For HEALTHCHECK and probes, in images without curl.

http://HOST:PORT/PATH must answer 200, redis://HOST:PORT must answer PING, and file:///PATH must have been written
within the last 15 seconds. Imports next to nothing: it runs every few seconds in every container.
"""

import os
import socket
import sys
import time

TIMEOUT_S = 2.0
FRESH_S = 15.0


def answer(address: str, request: bytes, most: int) -> bytes:
    """The first bytes of what a listener says to a request; OSError if nobody is there."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
        connection.sendall(request)
        return connection.recv(most)


def trouble(url: str) -> str | None:
    """What is wrong, None if nothing is. Raises OSError, ValueError for a URL that is none."""
    scheme, _, rest = url.partition("://")
    address, _, path = rest.partition("/")
    if scheme == "http":
        request = f"GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        line = answer(address, request.encode(), 256).partition(b"\r\n")[0].decode("latin-1")
        return None if line[9:12] == "200" else f"answered {line!r}"
    if scheme == "redis":
        said = answer(address, b"PING\r\n", 64)
        return None if said.startswith(b"+PONG") else f"answered {said!r}"
    if scheme == "file":
        age_s = time.time() - os.stat(f"/{path}").st_mtime  # noqa: PTH116 - pathlib takes longer than all the rest
        return None if age_s < FRESH_S else f"was last written {age_s:.0f} s ago"
    raise ValueError(f"no http://, redis:// or file:// URL: {url}")


if __name__ == "__main__":
    try:
        wrong = trouble(sys.argv[1])
    except (IndexError, OSError, ValueError) as exc:
        wrong = str(exc)
    if wrong is not None:
        sys.exit(f"{' '.join(sys.argv[1:])}: {wrong}")
