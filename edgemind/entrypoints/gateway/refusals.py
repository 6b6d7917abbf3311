"""Answers that come from the gateway itself, in OpenAI's error shape."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from edgemind.domain.requests import ShedReason
from edgemind.domain.routing.picker import Shed


@dataclass(slots=True, eq=False)
class Refusal(Exception):
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


# What is refused before the application sees it


def bad_request(message: str) -> Refusal:
    return Refusal(400, "invalid_request_error", "bad_request", message)


def headers_too_large(limit_bytes: int) -> Refusal:
    message = f"The request line and headers are larger than {limit_bytes} bytes."
    return Refusal(431, "invalid_request_error", "headers_too_large", message)


def body_too_large(limit_bytes: int) -> Refusal:
    message = f"The body is larger than this gateway's limit of {limit_bytes} bytes."
    return Refusal(413, "invalid_request_error", "body_too_large", message)


def too_many_values(limit: int) -> Refusal:
    message = (
        f"The JSON body has more than {limit} values (arrays, objects and commas count); "
        "send tensors as Open Inference binary data, or split the request."
    )
    return Refusal(413, "invalid_request_error", "too_many_values", message)


def too_many_bodies() -> Refusal:
    message = "This gateway holds as many large bodies as it may; try again shortly."
    return Refusal(503, "server_error", "too_many_bodies", message, retry_after_s=1)


def timed_out(message: str) -> Refusal:
    return Refusal(408, "invalid_request_error", "request_timeout", message)


def too_many_connections() -> Refusal:
    message = "This gateway has no connection to spare; try again shortly."
    return Refusal(503, "server_error", "too_many_connections", message, retry_after_s=1)


def upstream_failed(reason: str) -> Refusal:
    message = f"The model server failed before it answered, and nobody else could take over in time: {reason}."
    return Refusal(502, "server_error", "upstream_failed", message, retry_after_s=1)


def internal_error() -> Refusal:
    return Refusal(500, "server_error", "internal_error", "The gateway failed on this request.")


# What the application refuses

SHED_MESSAGES = {
    ShedReason.NO_HEALTHY_CANDIDATE: "No site that serves '{model}' is healthy just now; try again in {wait} s.",
    ShedReason.DEADLINE_UNREACHABLE: "No site can answer '{model}' within {deadline:g} ms, even with nothing queued; "
    "allow a longer 'x-edgemind-deadline-ms'.",
    ShedReason.OVERLOADED: "Every site that serves '{model}' is too busy for this deadline and priority; "
    "try again in {wait} s.",
    ShedReason.RESIDENCY_UNSATISFIABLE: "No site in the requested residency serves '{model}'; "
    "it is never sent elsewhere.",
}


def shed_refusal(shed: Shed, model: str, deadline_ms: float) -> Refusal:
    text = SHED_MESSAGES[shed.reason].format(model=model, deadline=deadline_ms, wait=shed.retry_after_s)
    if shed.reason is ShedReason.RESIDENCY_UNSATISFIABLE:
        return Refusal(403, "permission_error", shed.reason.value, text, "x-edgemind-residency", retry_helps=False)
    wait_s = shed.retry_after_s if shed.retry_helps else None
    return Refusal(503, "server_error", shed.reason.value, text, retry_after_s=wait_s, retry_helps=shed.retry_helps)


def method_not_allowed(allowed: str) -> Refusal:
    headers = ((b"allow", allowed.encode()),)
    return Refusal(405, "invalid_request_error", "method_not_allowed", f"This path takes {allowed}.", headers=headers)


def not_found(path: str) -> Refusal:
    message = (
        f"There is nothing at '{path[:100]}'. Inference is at /v1/chat/completions, /v1/completions, /v1/embeddings "
        "and /v2/models/{model}/infer; GET /v1/models lists the models."
    )
    return Refusal(404, "invalid_request_error", "not_found", message)
