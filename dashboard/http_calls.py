"""One exchange with the fleet API. Redirects and proxies are not followed: the token is for this address only."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from urllib.parse import urlsplit

from dashboard.connection import Connection
from dashboard.trouble import FleetTrouble, Unreachable

TIMEOUT_S = 3.0
"""For each step of the exchange, and twice that for all of it. A page that waits longer looks dead."""
MAX_BYTES = 8 << 20
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def http_get(connection: Connection, path: str) -> Answer:
    """`path` comes after /edgemind/v1/ and is quoted. Raises Unreachable if nobody answers."""
    return _exchange(connection, "GET", path)


def http_post(connection: Connection, path: str, body: Mapping[str, object] | None = None) -> Answer:
    """The same with something to change. What became of it is not known when nobody answers."""
    return _exchange(connection, "POST", path, json.dumps(body or {}).encode())


def _exchange(connection: Connection, method: str, path: str, body: bytes | None = None) -> Answer:
    parts = urlsplit(connection.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"accept": "application/json"}
    if body is not None:
        headers["content-type"] = "application/json"
    if connection.token:
        headers["authorization"] = f"Bearer {connection.token}"
    wire = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        wire.request(method, f"{parts.path.rstrip('/')}/edgemind/v1/{path}", body=body, headers=headers)
        response = wire.getresponse()
        return Answer(response.status, _whole(response, time.monotonic() + 2 * TIMEOUT_S))
    except TimeoutError as exc:
        raise Unreachable(
            "The fleet does not answer in time",
            f"{connection.url} took longer than {TIMEOUT_S:g} s. Is the controller there overloaded, or stopped?",
        ) from exc
    except (OSError, HTTPException, ValueError) as exc:
        why = (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).lower()
        raise Unreachable(
            "The fleet cannot be reached",
            f"Nothing answers at {connection.url} ({why}). Start a controller there, for example with edgemind demo, "
            "or point the page to another one.",
        ) from exc
    finally:
        wire.close()


def _whole(response: HTTPResponse, until_s: float) -> bytes:
    """An answer that drips is cut as one that does not come: each of its steps alone would be in time."""
    parts: list[bytes] = []
    size = 0
    while chunk := response.read1(CHUNK_BYTES):
        parts.append(chunk)
        size += len(chunk)
        if size > MAX_BYTES:
            raise FleetTrouble("The fleet's answer is too long", f"It has more than {MAX_BYTES >> 20} MB.")
        if time.monotonic() > until_s:
            raise TimeoutError
    if response.length:
        # It broke off before its announced end.
        raise IncompleteRead(b"", response.length)
    return b"".join(parts)
