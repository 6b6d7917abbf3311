"""One GET of the fleet API. Redirects and proxies are not followed: the token is for this address only."""

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from urllib.parse import urlsplit

from dashboard.connection import Connection
from dashboard.trouble import FleetTrouble

TIMEOUT_S = 3.0
"""For each step of the exchange. A page that waits longer looks dead."""
MAX_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def http_get(connection: Connection, path: str) -> Answer:
    """`path` comes after /edgemind/v1/ and is quoted. Raises FleetTrouble if nobody answers."""
    parts = urlsplit(connection.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"accept": "application/json"}
    if connection.token:
        headers["authorization"] = f"Bearer {connection.token}"
    wire = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        wire.request("GET", f"{parts.path.rstrip('/')}/edgemind/v1/{path}", headers=headers)
        response = wire.getresponse()
        body = response.read(MAX_BYTES)
        if response.length:
            # A bounded read takes an answer that breaks off for a whole one.
            raise IncompleteRead(body, response.length)
        return Answer(response.status, body)
    except TimeoutError as exc:
        raise FleetTrouble(
            "The fleet does not answer in time",
            f"{connection.url} took longer than {TIMEOUT_S:g} s. Is the controller there overloaded, or stopped?",
        ) from exc
    except (OSError, HTTPException, ValueError) as exc:
        why = (getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).lower()
        raise FleetTrouble(
            "The fleet cannot be reached",
            f"Nothing answers at {connection.url} ({why}). Start a controller there, for example with edgemind demo, "
            "or point the page to another one.",
        ) from exc
    finally:
        wire.close()
