import pytest

from edgemind.domain.trace_context import TraceContext
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import (
    FIXED_HEADS_LIMIT,
    RequestHeads,
    load_line,
    load_of,
    receipt,
    response_head,
)
from edgemind.services.targets import Target
from tests.support.gateway_parts import endpoint, fleet, head, record, router, site

ID = "dec-site-a-0-00000000000000a1"
OF = router(
    fleet(
        site("site-a", endpoint(key="upstream-key"), endpoint("rooted", url="https://gpu:8000/prefix/v1")),
        site("site-b", endpoint(), gateway="http://b:1"),
    )
)
SERVER, ROOTED, NEIGHBOUR = (
    OF.targets[key] for key in ("site-a/m@http://a:1/v1", "site-a/rooted@https://gpu:8000/prefix/v1", "site-b/m")
)


class NoConnection:
    """An exchange under test never writes."""


def lines(
    target: Target, heads: RequestHeads | None = None, of: str = "/v1/chat/completions", **headers: str
) -> list[str]:
    exchange = Exchange(NoConnection(), head(target=of, **headers), b"{}", 0.0, b"", True)  # type: ignore[arg-type]
    heads = heads or RequestHeads("site-a", "token")
    raw = heads.head(target, exchange, 2, record(OF, ID), 123.4567)
    assert raw.endswith(b"\r\n\r\n")
    return raw.decode().strip().split("\r\n")


def test_a_model_server_gets_its_key_and_nothing_of_ours() -> None:
    got = lines(
        SERVER, authorization="Bearer em_x", x_edgemind_priority="high", accept="*/*", cookie="c", x_request_id="z"
    )
    assert got == [
        "POST /v1/chat/completions HTTP/1.1",
        "host: a:1",
        "authorization: Bearer upstream-key",
        "accept: */*",
        "content-length: 2",
        f"x-request-id: {ID}",
        f"traceparent: 00-{'0' * 32}-00000000000000a1-00",
    ]


def test_a_neighbour_gets_the_token_the_constraints_and_what_is_left_of_the_deadline() -> None:
    got = lines(
        NEIGHBOUR,
        authorization="Bearer em_x",
        x_edgemind_priority="high",
        x_edgemind_deadline_ms="9999",
        x_edgemind_forwarded_by="site-z",
        x_edgemind_session="s",
    )
    assert got == [
        "POST /v1/chat/completions HTTP/1.1",
        "host: b:1",
        "x-edgemind-site-token: token",
        "x-edgemind-forwarded-by: site-a",
        "x-edgemind-priority: high",
        "x-edgemind-deadline-ms: 123.457",
        "content-length: 2",
        f"x-request-id: {ID}",
        f"traceparent: 00-{'0' * 32}-00000000000000a1-00",
    ]


def continued(heads: RequestHeads, target: Target, **trace: object) -> list[str]:
    """The header lines of a request whose trace is this one."""
    decided = record(OF, ID)
    decided.trace = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", **trace)  # type: ignore[arg-type]
    exchange = Exchange(NoConnection(), head(traceparent="theirs", tracestate="theirs=1"), b"{}", 0.0, b"", True)  # type: ignore[arg-type]
    return [line for line in heads.head(target, exchange, 2, decided, 5.0).decode().split("\r\n") if "trace" in line]


@pytest.mark.parametrize("target", [SERVER, NEIGHBOUR])
def test_a_gateway_that_exports_its_spans_is_the_cause_of_the_next_one(target: Target) -> None:
    heads = RequestHeads("site-a", "token", own_spans=True)
    assert continued(heads, target, parent_id="00f067aa0ba902b7", sampled=True, state=b"a=1,b=2") == [
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000a1-01",
        "tracestate: a=1,b=2",
    ]


def test_a_gateway_that_exports_none_passes_on_whose_span_it_was() -> None:
    heads = RequestHeads("site-a", "token")
    told = continued(heads, SERVER, parent_id="00f067aa0ba902b7", sampled=True)
    assert told == ["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
    assert continued(heads, SERVER) == ["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00000000000000a1-00"]


def test_the_prefix_of_a_base_url_stays_and_its_v1_is_not_doubled() -> None:
    assert lines(ROOTED)[:2] == ["POST /prefix/v1/chat/completions HTTP/1.1", "host: gpu:8000"]
    assert lines(ROOTED, of="/v2/models/m/infer?a=b")[0] == "POST /prefix/v2/models/m/infer?a=b HTTP/1.1"


def test_one_head_goes_to_both_kinds_of_upstream() -> None:
    same, heads = head(x_edgemind_priority="low"), RequestHeads("site-a", "token")
    for target, expected in ((SERVER, False), (NEIGHBOUR, True), (SERVER, False)):
        exchange = Exchange(NoConnection(), same, b"{}", 0.0, b"", True)  # type: ignore[arg-type]
        assert (b"x-edgemind-priority" in heads.head(target, exchange, 2, record(OF, ID), 5.0)) is expected


def test_what_is_kept_is_bounded_in_number_and_length() -> None:
    heads = RequestHeads("site-a", "token")
    for number in range(FIXED_HEADS_LIMIT + 50):
        lines(SERVER, heads, of=f"/v1/chat/completions?{number}")
    assert len(heads._fixed) == FIXED_HEADS_LIMIT
    heads.renew("token")
    lines(SERVER, heads, of="/v1/chat/completions?" + "x" * 5000)
    assert not heads._fixed


def test_a_reload_takes_up_a_new_token_and_new_keys() -> None:
    heads = RequestHeads("site-a", "old")
    assert "x-edgemind-site-token: old" in lines(NEIGHBOUR, heads)
    heads.renew("new")
    assert "x-edgemind-site-token: new" in lines(NEIGHBOUR, heads)


def test_a_response_head_is_relayed_without_what_belongs_to_the_connection() -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"keep-alive"),
        (b"x-request-id", b"theirs"),
        (b"x-simulated-service-ms", b"12.5"),
        (b"set-cookie", b"a"),
        (b"set-cookie", b"b"),
    ]
    got = response_head(headers, record(OF, ID))
    assert (got.length, got.sse, got.service_ms) == (None, True, 12.5)
    text = got.lines.decode()
    assert text.count("set-cookie") == 2
    assert "theirs" not in text
    assert "chunked" not in text
    assert text.endswith(receipt(record(OF, ID)).decode())


@pytest.mark.parametrize(("length", "expected"), [(b"0", 0), (b"17", 17)])
def test_a_length_is_told(length: bytes, expected: int) -> None:
    got = response_head([(b"content-length", length), (b"x-simulated-service-ms", b"soon")], record(OF, ID))
    assert (got.length, got.sse, got.service_ms) == (expected, False, None)


def test_a_real_models_time_is_read_as_a_simulated_ones_is() -> None:
    assert response_head([(b"x-edgemind-service-ms", b"123.5")], record(OF)).service_ms == 123.5


def test_a_receipt_names_the_decision() -> None:
    decided = record(OF, ID)
    assert b"x-edgemind-site: \r\n" in receipt(decided)
    decided.chosen, decided.reason, decided.predicted_ms = SERVER.candidate, "table", 20.04
    assert receipt(decided) == (
        b"x-request-id: dec-site-a-0-00000000000000a1\r\nx-edgemind-site: site-a\r\n"
        b"x-edgemind-reason: table\r\nx-edgemind-predicted-ms: 20.0\r\n"
        b"x-edgemind-trace: 00000000000000000000000000000000\r\n"
    )


def test_load_is_read_as_it_is_written() -> None:
    name, _, value = load_line(3.0, 4, 20.5).strip().partition(b": ")
    assert load_of([(b"x", b"y"), (name, value)]) == (3.0, 4, 20.5)
    assert load_of([]) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b";;",
        b"1;2",
        b"a;b;c",
        b"nan;1;1",
        b"1;1;nan",
        b"inf;1;1",
        b"1;1;inf",
        b"-1;1;1",
        b"1;0;1",
        b"1;-1;1",
        b"1;1;0",
        b"1;9999999999;1",
    ],
)
def test_a_load_that_makes_no_sense_is_none(value: bytes) -> None:
    assert load_of([(b"x-edgemind-load", value)]) is None
