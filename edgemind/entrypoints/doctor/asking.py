"""One GET of the doctor's: short, without redirects or proxies, and measured."""

import json
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 2.0
ANSWER_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`document` is None for what is no JSON object. Wall times are the asker's."""

    status: int
    document: dict[str, Any] | None
    sent_ms: float
    received_ms: float

    @property
    def took_ms(self) -> float:
        return self.received_ms - self.sent_ms


def get(url: str, token: str | None = None, tls: ssl.SSLContext | None = None) -> Answer | str:
    """The answer, or why there is none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: HTTPConnection
    if parts.scheme == "https":
        connection = HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=tls)
    else:
        connection = HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        connection.connect()
        sent_ms = time.time() * 1000.0
        connection.request("GET", parts.path or "/", headers=headers)
        response = connection.getresponse()
        content = response.read(ANSWER_LIMIT_BYTES)
        received_ms = time.time() * 1000.0
    except (OSError, HTTPException) as exc:
        return f"no answer within {TIMEOUT_S:g} s" if isinstance(exc, TimeoutError) else str(exc) or type(exc).__name__
    finally:
        connection.close()
    return Answer(response.status, _document(content), sent_ms, received_ms)


def _document(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
