import json

import pytest

from edgemind.domain.requests import ShedReason
from edgemind.domain.routing.picker import Shed
from edgemind.entrypoints.gateway.refusals import (
    Refusal,
    bad_request,
    body_too_large,
    headers_too_large,
    internal_error,
    method_not_allowed,
    not_found,
    refusal_body,
    refusal_bytes,
    refusal_headers,
    shed_refusal,
    timed_out,
    too_many_connections,
    upstream_failed,
)

EVERY = [
    bad_request("x"),
    headers_too_large(1),
    body_too_large(1),
    timed_out("x"),
    too_many_connections(),
    upstream_failed("x"),
    internal_error(),
    method_not_allowed("POST"),
    not_found("/x"),
    *(shed_refusal(Shed(reason, 1), "m", 5.0) for reason in ShedReason),
]


@pytest.mark.parametrize("refusal", EVERY, ids=lambda refusal: refusal.code)
def test_every_refusal_has_openais_shape_and_is_a_whole_answer(refusal: Refusal) -> None:
    error = json.loads(refusal_body(refusal))["error"]
    assert list(error) == ["message", "type", "code", "param"]
    assert 400 <= refusal.status < 600
    raw = refusal_bytes(refusal, [(b"date", b"today")])
    head, body = raw.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    assert lines[0].startswith(b"HTTP/1.1 %d " % refusal.status)
    assert {b"date: today", b"connection: close", b"content-length: %d" % len(body)} <= set(lines)
    assert json.loads(body)["error"] == error


def test_times_and_hints_are_headers() -> None:
    refusal = Refusal(503, "server_error", "x", "y", retry_after_s=7, retry_helps=False, headers=((b"allow", b"GET"),))
    headers = dict(refusal_headers(refusal, b"{}"))
    assert (headers[b"retry-after"], headers[b"x-should-retry"], headers[b"allow"]) == (b"7", b"false", b"GET")
    assert not {b"retry-after", b"x-should-retry"} & dict(refusal_headers(bad_request("x"), b"{}")).keys()


def test_a_shed_says_whether_coming_back_helps() -> None:
    later = shed_refusal(Shed(ShedReason.OVERLOADED, 3), "m", 100.0)
    assert (later.status, later.retry_after_s, later.retry_helps) == (503, 3, True)
    assert "'m'" in later.message
    never = shed_refusal(Shed(ShedReason.DEADLINE_UNREACHABLE, 1, retry_helps=False), "m", 0.5)
    assert (never.status, never.retry_after_s, never.retry_helps) == (503, None, False)
    assert "0.5 ms" in never.message
    elsewhere = shed_refusal(Shed(ShedReason.RESIDENCY_UNSATISFIABLE, 0, retry_helps=False), "m", 100.0)
    assert (elsewhere.status, elsewhere.param) == (403, "x-edgemind-residency")


def test_what_a_client_sent_is_not_repeated_at_length() -> None:
    assert len(not_found("/" + "x" * 5000).message) < 500
