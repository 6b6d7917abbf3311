"""HTTP/1.1 itself: limits, malformed requests, and the odd but legal ones."""

import json

import pytest

from tests.support.gateway_process import eventually
from tests.support.house import CHAT, House
from tests.support.wire import Answer, ConnectionEnded, ask, request_bytes

HEADER_LIMIT = 32 * 1024
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer KEY\r\n"
"""The beginning of a request that may send a body; `raw` puts a key into it."""
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


def raw(house: House, data: bytes) -> Answer:
    """The answer to bytes that end a connection, which must then really end."""
    with house.wire() as wire:
        wire.send(data.replace(b"KEY", house.key.encode()))
        answer = wire.answer()
        assert answer["connection"] == "close"
        assert wire.closed()
        return answer


# Headers


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx: " + b"y" * HEADER_LIMIT + b"\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 6000 + b"\r\n",
        b"GET /" + b"y" * HEADER_LIMIT + b" HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /" + b"y" * HEADER_LIMIT + b" HTTP/1.0\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx: " + b"y" * 10 * HEADER_LIMIT,
        b"GET /v1/models HTTP/1.1\r\n" + b"y" * 10 * HEADER_LIMIT,
        CHUNKED + b"1\r\n{\r\n0\r\nx: " + b"y" * 10 * HEADER_LIMIT,
    ],
    ids=["one", "many", "target", "target-1.0", "half a value", "half a name", "trailer"],
)
def test_headers_larger_than_the_limit_are_431(house: House, data: bytes) -> None:
    answer = raw(house, data)
    assert (answer.status, answer.error["code"]) == (431, "headers_too_large")


def test_headers_below_the_limit_pass(house: House) -> None:
    headers = {"authorization": f"Bearer {house.key}", "x-filler": "y" * (HEADER_LIMIT - 500)}
    assert ask(house.gateway.port, "GET", "/v1/models", headers=headers).status == 200


def test_the_limit_is_for_each_request_and_not_for_the_connection(house: House) -> None:
    head = request_bytes("GET", "/v1/models", headers={"authorization": f"Bearer {house.key}", "x-filler": "y" * 9000})
    with house.wire() as wire:
        for _ in range(20):
            wire.send(head[:5000])
            wire.send(head[5000:])
            assert wire.answer().status == 200


def test_a_large_body_does_not_count_as_the_head_of_the_request_behind_it(house: House) -> None:
    large, behind = house.call(house.model("solo"), pad="x" * 200_000), house.call(house.model("solo"))
    with house.wire() as wire:
        wire.send(large.raw + behind.raw[:100])
        assert wire.answer().json()["marker"] == large.marker
        wire.send(behind.raw[100:])
        assert wire.answer().json()["marker"] == behind.marker


def test_a_head_that_never_ends_times_out(strict: House) -> None:
    answer = raw(strict, b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx-half")
    assert (answer.status, answer.error["code"]) == (408, "request_timeout")


def test_a_head_that_trickles_times_out_as_well(strict: House) -> None:
    with strict.wire() as wire:
        wire.send(b"GET /v1/models HTTP/1.1\r\n")

        def still_open() -> bool:
            try:
                return wire.send_part(b"x: y\r\n") == 0
            except ConnectionError:
                return True

        eventually("the connection ends", still_open, every_s=0.1)


def test_a_connection_without_any_request_is_closed(strict: House) -> None:
    with strict.wire() as wire:
        assert wire.closed()


def test_an_idle_kept_connection_is_closed(strict: House) -> None:
    with strict.wire() as wire:
        wire.send(request_bytes("GET", "/v1/models"))
        assert wire.answer().status == 200
        assert wire.closed()


def test_a_second_head_that_never_ends_does_not_cut_the_first_answer(strict: House) -> None:
    call = strict.call(strict.model("solo"), fake={"a": {"do": "sse", "chunks": 6, "gated": True}})
    with strict.begin(call) as wire:
        wire.send(b"GET /v1/models HTTP/1.1\r\nx-half")
        strict.upstreams.release(call.marker)
        assert wire.head()[0] == 200
        for _ in range(5):
            assert wire.chunk()
            strict.upstreams.release(call.marker)
            _pass_some_time(0.25)
        while chunk := wire.chunk():
            pass
        assert chunk == b"", "a clean end"
        assert wire.answer().status == 408


def test_a_body_that_stops_coming_times_out(strict: House) -> None:
    call = strict.call(strict.model("solo"))
    with strict.wire() as wire:
        wire.send(call.raw[:-10])
        answer = wire.answer()
        assert (answer.status, answer.error["code"]) == (408, "request_timeout")
        assert wire.closed()
    assert not strict.upstreams.seen(call.marker)


def test_a_body_that_comes_slowly_but_comes_is_served(strict: House) -> None:
    call = strict.call(strict.model("solo"))
    with strict.wire() as wire:
        head, body = call.raw[: -len(call.body)], call.body
        wire.send(head)
        step = len(body) // 4
        for start in range(0, len(body), step):
            wire.send(body[start : start + step])
            _pass_some_time(0.3)
        assert wire.answer().json()["marker"] == call.marker


def test_more_connections_than_allowed_are_told_so(strict: House) -> None:
    crowd = [strict.wire() for _ in range(30)]
    try:
        with strict.wire() as wire:
            answer = wire.answer()
        assert (answer.status, answer.error["code"]) == (503, "too_many_connections")
        assert int(answer["retry-after"]) >= 1
    finally:
        for wire in crowd:
            wire.close()
    eventually("there is room again", lambda: _models_status(strict) == 200)


# Malformed


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\x00b\r\n\r\n",
        b"GET /v1/models\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /v1/m\x00dels HTTP/1.1\r\nhost: a\r\n\r\n",
        b"G\x00T /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\x00\x00\x00\x00",
        b"GET /v1/models HTTP/1.1\nhost: a\n\n",
        b"GET /v1/models HTTP/1.1\r\nhost : a\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n host: a\r\n\r\n",
        b"GET /v1/models HTTP/2.0\r\nhost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"BREW /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
        b"get /v1/models HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 32,
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 1x\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        POST + b"transfer-encoding: gzip\r\n\r\nabc",
        POST + b"transfer-encoding: chunked, identity\r\n\r\nabc",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"2\r\nabX",
        CHUNKED + b"fffffffffffffffff\r\n",
    ],
    ids=lambda data: repr(data[-50:]),
)
def test_what_is_not_http_is_400_and_closed(house: House, data: bytes) -> None:
    answer = raw(house, data)
    assert (answer.status, answer.error["code"]) == (400, "bad_request")


def test_a_path_that_is_not_ascii_is_no_crash(house: House) -> None:
    with house.wire() as wire:
        wire.send(b"GET /v1/m\xc3\xb6dels HTTP/1.1\r\nhost: a\r\n\r\n")
        assert wire.answer().status in {400, 404}
    assert ask(house.gateway.port, "GET", "/v1/m%C3%B6dels").status == 404
    assert ask(house.gateway.port, "GET", "/v1/%ff%00%0d%0a").status == 404


def test_two_requests_in_one_a_smuggler_wants_are_one(house: House) -> None:
    """With both lengths the request is refused; what follows on the connection is not served as a request."""
    hidden = house.call(house.model("solo"))
    with house.wire() as wire:
        wire.send(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
            b"0\r\n\r\n" + hidden.raw
        )
        assert wire.answer().status == 400
        assert wire.closed()
    assert not house.upstreams.seen(hidden.marker)


def test_a_trailer_does_not_pass_for_a_header(house: House) -> None:
    call = house.call(house.model("duo"))
    head = request_bytes("POST", CHAT, headers=call.headers | {"transfer-encoding": "chunked"})
    trailers = b"x-edgemind-residency: jp\r\ntraceparent: smuggled\r\nauthorization: Bearer nothing\r\n"
    with house.wire() as wire:
        wire.send(head + b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(call.body), call.body, trailers))
        assert wire.answer().status == 200
    (seen,) = house.upstreams.seen(call.marker)
    assert "smuggled" not in (seen.header("traceparent") or "")


# Legal and odd


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_pipelined_requests_are_answered_in_order(house: House, pieces: int) -> None:
    model = house.model("duo")
    slow = house.call(model, fake={"*": {"gated": True}})
    calls = [slow, *(house.call(model) for _ in range(5))]
    data = b"".join(call.raw for call in calls) + request_bytes("GET", "/v1/nonesuch")
    with house.wire() as wire:
        step = len(data) // pieces + 1
        for start in range(0, len(data), step):
            wire.send(data[start : start + step])
        house.upstreams.wait_seen(slow.marker)
        assert not any(house.upstreams.seen(call.marker) for call in calls[1:]), "one at a time"
        house.upstreams.release(slow.marker)
        assert [wire.answer().json()["marker"] for _ in calls] == [call.marker for call in calls]
        assert wire.answer().status == 404


def test_a_thousand_pipelined_requests_are_answered(house: House) -> None:
    data = request_bytes("GET", "/v2/health/live") * 1000
    with house.wire() as wire:
        wire.send(data)
        assert [wire.answer().status for _ in range(1000)] == [200] * 1000


def test_garbage_behind_a_request_does_not_harm_its_answer(house: House) -> None:
    call = house.call(house.model("duo"), fake={"*": {"gated": True}})
    with house.wire() as wire:
        wire.send(call.raw + b"\x00garbage\r\n\r\n")
        house.upstreams.wait_seen(call.marker)
        house.upstreams.release(call.marker)
        assert wire.answer().json()["marker"] == call.marker
        _end_of(wire)


def test_an_http_1_0_client_is_answered_and_its_connection_closed(house: House) -> None:
    call = house.call(house.model("solo"), fake={"a": {"framing": "chunked", "do": "sse"}})
    with house.wire() as wire:
        wire.send(call.raw.replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = wire.answer()
    assert answer.status == 200
    assert not answer.has("transfer-encoding")
    assert answer["connection"] == "close"
    assert answer.body.endswith(b"data: [DONE]\n\n")
    with house.wire() as wire:
        wire.send(b"GET /v2/health/live HTTP/1.0\r\n\r\n")
        assert wire.answer().status == 200
        assert wire.closed()


def test_an_http_1_0_client_sees_that_an_answer_was_cut(house: House) -> None:
    """Its only sign of the end is the end of the connection, so that has to be a reset."""
    call = house.call(house.model("solo"), fake={"a": {"do": "die", "when": "body", "framing": "chunked"}})
    with house.wire() as wire:
        wire.send(call.raw.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert wire.is_reset()


def test_connection_close_is_honoured(house: House) -> None:
    call = house.call(house.model("solo"), headers={"connection": "close"})
    with house.begin(call) as wire:
        assert wire.answer()["connection"] == "close"
        assert wire.closed()


def test_expect_100_continue_is_answered_before_the_body(house: House) -> None:
    call = house.call(house.model("solo"), headers={"expect": "100-continue"})
    with house.wire() as wire:
        wire.send(call.raw[: -len(call.body)])
        assert wire.head()[0] == 100
        wire.send(call.body)
        assert wire.answer().json()["marker"] == call.marker


def test_a_large_body_nobody_may_send_is_not_asked_for(house: House) -> None:
    headers = {"authorization": "Bearer wrong", "expect": "100-continue", "content-length": "500000"}
    with house.wire() as wire:
        wire.send(request_bytes("POST", CHAT, headers=headers))
        assert wire.answer().status == 401
    with house.wire() as wire:
        wire.send(request_bytes("POST", CHAT, headers=headers | {"content-length": "50000000"}))
        assert wire.answer().status == 413


def test_a_refusal_arrives_though_a_large_body_is_under_way(house: House) -> None:
    """Closing with unread bytes would reset the connection, and the reset would overtake the answer."""
    body = b"x" * 900_000
    for headers in ({"authorization": "Bearer wrong"}, {"authorization": "Bearer wrong", "connection": "close"}):
        answer = ask(house.gateway.port, "POST", CHAT, body, headers)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
        assert answer["connection"] == "close"


def test_head_gets_headers_and_no_body(house: House) -> None:
    headers = {"authorization": f"Bearer {house.key}"}
    got = ask(house.gateway.port, "GET", "/v1/models", headers=headers)
    with house.wire() as wire:
        for _ in range(2):
            wire.send(request_bytes("HEAD", "/v1/models", headers=headers))
            head = wire.answer(to_head=True)
            assert (head.status, head["content-length"]) == (200, got["content-length"])
        wire.send(request_bytes("HEAD", "/v1/nonesuch"))
        assert wire.answer(to_head=True).status == 404
        wire.send(request_bytes("GET", "/v2/health/live"))
        assert wire.answer().json() == {"live": True}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("DELETE", "/v1/embeddings", "POST"),
        ("PUT", "/v2/models/solo-0/infer", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("OPTIONS", "/v2/health/live", "GET, HEAD"),
        ("PATCH", "/v2/models/solo-0/ready", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_one(house: House, method: str, path: str, allowed: str) -> None:
    answer = ask(house.gateway.port, method, path, headers={"authorization": f"Bearer {house.key}"})
    assert (answer.status, answer.error["code"], answer["allow"]) == (405, "method_not_allowed", allowed)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/chat/completions/", "/v3/models", "*", "//v1/models", "/v1/chat/../models"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_and_says_what_there_is(house: House, path: str, method: str) -> None:
    answer = ask(house.gateway.port, method, path, b"{}" if method == "POST" else b"")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert CHAT in answer.error["message"]


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_an_upgrade_is_not_taken_and_the_request_answered(house: House, upgrade: str) -> None:
    headers = {"connection": "upgrade", "upgrade": upgrade}
    with house.wire() as wire:
        wire.send(request_bytes("GET", "/v2/health/live", headers=headers) + b"\x81\x05hello")
        assert wire.answer().json() == {"live": True}
        _end_of(wire)
    call, behind = house.call(house.model("solo"), headers=headers), house.call(house.model("solo"))
    with house.wire() as wire:
        wire.send(call.raw + behind.raw + call.raw[:50])
        wire.send(call.raw[50:])
        assert [wire.answer().json()["marker"] for _ in range(3)] == [call.marker, behind.marker, call.marker]


def test_connect_is_no_proxy(house: House) -> None:
    with house.wire() as wire:
        wire.send(b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n")
        assert wire.answer().status in {400, 404, 405}
        _end_of(wire)


def test_an_absolute_target_is_served_as_its_path(house: House) -> None:
    call = house.call(house.model("solo"))
    with house.wire() as wire:
        wire.send(call.raw.replace(b"POST /v1", b"POST http://somewhere.example/v1"))
        assert wire.answer().json()["marker"] == call.marker
    assert house.upstreams.seen(call.marker)[0].target == f"POST {CHAT} HTTP/1.1"


def test_a_query_is_passed_on_and_a_coded_path_understood(house: House) -> None:
    call = house.call(house.model("solo"), path=CHAT + "?api-version=1&x=%20")
    assert house.ask(call).status == 200
    assert house.upstreams.seen(call.marker)[0].target == f"POST {CHAT}?api-version=1&x=%20 HTTP/1.1"
    coded = house.call(house.model("solo"), path="/v1/chat/complet%69ons")
    assert house.ask(coded).status == 200


def test_every_split_of_a_request_is_the_same_request(house: House) -> None:
    call = house.call(house.model("solo"))
    with house.wire() as wire:
        for byte in call.raw:
            wire.send(bytes([byte]))
        assert wire.answer().json()["marker"] == call.marker
        chunked = request_bytes("POST", CHAT, headers=call.headers | {"transfer-encoding": "chunked"})
        wire.send(chunked + b"".join(b"1\r\n%c\r\n" % byte for byte in call.body) + b"0\r\n\r\n")
        assert wire.answer().json()["marker"] == call.marker
    assert [seen.body for seen in house.upstreams.seen(call.marker)] == [call.body] * 2


# The other APIs


def test_models_are_listed_for_those_with_a_key(house: House) -> None:
    listed = house.get("/v1/models").json()
    assert listed["object"] == "list"
    assert {"id", "object", "created", "owned_by"} <= listed["data"][0].keys()
    narrow = house.get("/v1/models", {"authorization": f"Bearer {house.keys['narrow']}"}).json()["data"]
    assert {row["id"].rsplit("-", 1)[0] for row in narrow} == {"solo"}
    assert ask(house.gateway.port, "GET", "/v1/models").status == 401
    one = house.get("/v1/models/solo-3").json()
    assert one["id"] == "solo-3"


def test_the_open_inference_protocol(house: House) -> None:
    model = house.model("solo")
    assert ask(house.gateway.port, "GET", "/v2/health/live").json() == {"live": True}
    assert ask(house.gateway.port, "GET", "/v2/health/ready").json() == {"ready": True}
    assert house.get(f"/v2/models/{model}").json()["name"] == model
    assert house.get(f"/v2/models/{model}/ready").status == 200
    assert house.get("/v2/models/nonesuch/ready").status == 404
    document = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1.0]}], "marker": f"oip-{model}"}
    body = json.dumps(document).encode()
    headers = {"authorization": f"Bearer {house.key}"}
    answer = ask(house.gateway.port, "POST", f"/v2/models/{model}/infer", body, headers)
    assert (answer.status, answer.json()["marker"]) == (200, f"oip-{model}")
    assert house.upstreams.seen(f"oip-{model}")[0].target == f"POST /v2/models/{model}/infer HTTP/1.1"


def test_binary_tensors_are_passed_on_behind_their_json(house: House) -> None:
    document = json.dumps({"inputs": [{"name": "x", "shape": [4], "datatype": "UINT8"}]}).encode()
    tensor = bytes(range(256)) * 16
    name = "inference-header-content-length"
    headers = {
        "authorization": f"Bearer {house.key}",
        name: str(len(document)),
        "content-type": "application/octet-stream",
    }
    path = f"/v2/models/{house.model('solo')}/infer"
    assert ask(house.gateway.port, "POST", path, document + tensor, headers).status == 200
    seen = house.upstreams.seen("")[-1]
    assert (seen.body, seen.header(name)) == (document + tensor, str(len(document)))


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
def test_the_other_openai_apis_reach_the_same_path_upstream(house: House, path: str) -> None:
    call = house.call(house.model("solo"), path=path, prompt="hi", input="hi")
    assert house.ask(call).json()["marker"] == call.marker
    assert house.upstreams.seen(call.marker)[0].target == f"POST {path} HTTP/1.1"


def _models_status(house: House) -> int:
    try:
        return ask(house.gateway.port, "GET", "/v1/models").status
    except (OSError, ConnectionEnded):
        return 0


def _end_of(wire: object) -> None:
    """The connection ends, after one last refusal at most."""
    from tests.support.wire import Wire

    assert isinstance(wire, Wire)
    try:
        assert wire.answer().status == 400
    except ConnectionEnded:
        return
    assert wire.closed()


def _pass_some_time(seconds: float) -> None:
    import time

    time.sleep(seconds)
