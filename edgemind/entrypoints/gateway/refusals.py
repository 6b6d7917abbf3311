"""Answers that come from the gateway itself, in OpenAI's error shape."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import orjson


@dataclass(slots=True, eq=False)
class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """Why a request is not served: raised while admitting it, answered as it stands.

    `retry_helps` false adds `x-should-retry: false`, which OpenAI clients obey.
    """

    status: int
    error_type: str
    code: str
    message: str
    param: str | None = None
    retry_after_s: int | None = None
    retry_helps: bool = True
    headers: tuple[tuple[bytes, bytes], ...] = ()


def refusal_body(refusal: Refusal) -> bytes:
    error = {
        "message": refusal.message,
        "type": refusal.error_type,
        "code": refusal.code,
        "param": refusal.param,
    }
    return orjson.dumps({"error": error})


def refusal_headers(refusal: Refusal, body: bytes) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *refusal.headers]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after_s))
    if not refusal.retry_helps:
        headers.append((b"x-should-retry", b"false"))
    return headers


def refusal_bytes(refusal: Refusal, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A whole HTTP/1.1 answer that ends its connection, for requests refused before the application saw them."""
    body = refusal_body(refusal)
    headers = [*default_headers, *refusal_headers(refusal, body), (b"connection", b"close")]
    status = b"HTTP/1.1 %d %s\r\n" % (refusal.status, HTTPStatus(refusal.status).phrase.encode())
    return b"".join((status, *(name + b": " + value + b"\r\n" for name, value in headers), b"\r\n", body))
