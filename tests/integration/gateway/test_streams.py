"""Bytes on their way: streams, hang-ups, slow readers, upstreams that die in mid-answer."""

import pytest

from tests.support.gateway_process import eventually
from tests.support.house import House
from tests.support.wire import ask

# The kernel may hold 10 MB a hop between two sockets before anybody is made to wait.
FLOOD_BYTES = 36 << 20


def test_the_first_chunk_of_a_stream_is_passed_on_before_there_is_a_second(house: House) -> None:
    call = house.call(house.model("duo"), fake={"*": {"do": "sse", "chunks": 3, "gated": True}}, stream=True)
    with house.begin(call) as wire:
        for number in range(3):
            house.upstreams.release(call.marker)
            if number == 0:
                status, headers = wire.head()
                assert status == 200
                assert ("content-type", "text/event-stream") in headers
            chunk = wire.chunk()
            assert chunk is not None
            assert f"word{number}".encode() in chunk
        assert wire.chunk() == b"data: [DONE]\n\n"
        assert wire.chunk() == b""
        wire.send(house.call(house.model("duo")).raw)
        assert wire.answer().status == 200, "the connection serves the next request"


@pytest.mark.parametrize("fake", [{"do": "hang"}, {"do": "sse", "gated": True, "chunks": 9}])
@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
def test_a_hang_up_cancels_the_upstream_at_once(house: House, fake: dict[str, object], how: str) -> None:
    call = house.call(house.model("duo"), fake={"*": fake})
    before = house.gateway.metrics()["edgemind_gateway_hung_up_total"]
    wire = house.begin(call)
    if fake["do"] == "sse":
        house.upstreams.release(call.marker)
        wire.head()
    house.upstreams.wait_seen(call.marker)
    {"close": wire.close, "reset": wire.reset, "half-close": wire.end_sending}[how]()
    assert house.upstreams.wait_outcome(call.marker) == "left"
    wire.close()
    eventually("it is counted", lambda: house.gateway.metrics()["edgemind_gateway_hung_up_total"] == before + 1)
    row = house.gateway.load(call_model(call), "site-a")
    assert (row["own"], row["circuit"]) == (0, "closed"), "a client that leaves says nothing about the server"


def test_a_hang_up_with_more_requests_behind_cancels_as_well(house: House) -> None:
    model = house.model("duo")
    hanging, queued = house.call(model, fake={"*": {"do": "hang"}}), house.call(model)
    wire = house.begin(hanging)
    house.upstreams.wait_seen(hanging.marker)
    wire.send(queued.raw[:-5])
    wire.close()
    assert house.upstreams.wait_outcome(hanging.marker) == "left"
    assert not house.upstreams.seen(queued.marker)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_reader_that_stands_still_makes_the_upstream_wait(house: House, framing: str) -> None:
    call = house.call(house.model("solo"), fake={"a": {"do": "flood", "size": FLOOD_BYTES, "framing": framing}})
    before_mb = house.gateway.rss_mb()
    with house.begin(call, receive_buffer_bytes=1 << 18) as wire:
        seen = house.upstreams.wait_seen(call.marker)[0]
        sent = _standstill(lambda: seen.sent_bytes)
        assert 0 < sent < FLOOD_BYTES // 2
        assert house.gateway.rss_mb() < before_mb + 12
        assert house.chat(house.model("solo")).status == 200, "others are served meanwhile"
        answer = wire.answer()
        assert (len(answer.body), answer.complete) == (FLOOD_BYTES, True)
    assert house.upstreams.wait_outcome(call.marker) == "answered"
    assert house.gateway.load(call_model(call))["service_ms"] == 20.0, "the reader's pace is not the server's"


def test_a_slow_reader_with_a_request_behind_gets_both_answers(house: House) -> None:
    model = house.model("solo")
    big = house.call(model, fake={"a": {"do": "flood", "size": 8 << 20, "framing": "chunked"}})
    small = house.call(model)
    with house.wire(receive_buffer_bytes=1 << 18) as wire:
        wire.send(big.raw + small.raw)
        seen = house.upstreams.wait_seen(big.marker)[0]
        _standstill(lambda: seen.sent_bytes)
        assert len(wire.answer().body) == 8 << 20
        assert wire.answer().json()["marker"] == small.marker


def test_a_reader_that_never_reads_is_let_go_of(strict: House) -> None:
    """It holds a connection and a slot of a model server, so it does not get to hold them for ever."""
    call = strict.call(strict.model("solo"), fake={"a": {"do": "flood", "size": FLOOD_BYTES}})
    wire = strict.begin(call, receive_buffer_bytes=1 << 18)
    assert strict.upstreams.wait_outcome(call.marker) == "left"
    wire.close()


def test_one_that_leaves_the_end_of_its_answer_unread_is_let_go_of_too(strict: House) -> None:
    """The upstream is done long ago: what is left lies in the gateway's own buffer."""
    baseline = strict.gateway.open_files()
    call = strict.call(
        strict.model("solo"), fake={"a": {"do": "flood", "size": 6 << 20}}, headers={"connection": "close"}
    )
    wire = strict.begin(call, receive_buffer_bytes=4096)
    while strict.upstreams.wait_seen(call.marker)[0].outcome is None and strict.gateway.open_files() > baseline:
        wire.read_some()
    eventually("its connection is closed", lambda: strict.gateway.open_files() <= baseline + 1)
    wire.close()


def test_a_silent_stream_is_cut_after_the_limit(strict: House) -> None:
    call = strict.call(strict.model("solo"), fake={"a": {"do": "sse", "chunks": 3, "gated": True}})
    with strict.begin(call) as wire:
        strict.upstreams.release(call.marker)
        answer = wire.answer()
    assert answer.complete
    assert b"upstream_cut" in answer.body
    assert strict.upstreams.wait_outcome(call.marker) == "left"


@pytest.mark.parametrize(
    ("text", "status", "body"),
    [
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", 304, b""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, b""),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, b""),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;ext=1\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n", 200, b"ok"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
        ("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
        ("HTTP/1.1 418 I am a teapot\r\ncontent-length: 2\r\n\r\nok", 418, b"ok"),
        ("HTTP/1.1 299 Unusual\r\ncontent-length: 2\r\n\r\nok", 299, b"ok"),
    ],
    ids=["204", "304", "empty", "empty-chunked", "trailer", "100", "103", "418", "299"],
)
def test_every_kind_of_answer_leaves_the_connection_in_step(house: House, text: str, status: int, body: bytes) -> None:
    model = house.model("solo")
    call, next_call = house.call(model, fake={"a": {"do": "raw", "text": text}}), house.call(model)
    with house.begin(call) as wire:
        answer = wire.answer()
        assert (answer.status, answer.body, answer.complete) == (status, body, True)
        wire.send(next_call.raw)
        assert wire.answer().json()["marker"] == next_call.marker


def test_an_answer_that_ends_with_its_connection_is_whole(house: House) -> None:
    raw = {"do": "raw", "text": "HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it", "close": True}
    answer = house.chat(house.model("solo"), fake={"a": raw})
    assert (answer.body, answer.complete, answer["transfer-encoding"]) == (b"all of it", True, "chunked")


@pytest.mark.parametrize(
    "behind",
    [
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nleaked!",
        "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "garbage",
        "\r\n\r\n",
    ],
)
def test_what_an_upstream_sends_behind_its_answer_reaches_nobody(house: House, behind: str) -> None:
    """The next request on that connection would get it for an answer."""
    model = house.model("solo")
    text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + behind
    assert house.chat(model, fake={"a": {"do": "raw", "text": text}}).body == b"ok"
    for _ in range(3):
        call = house.call(model)
        assert house.ask(call).json()["marker"] == call.marker


def test_response_headers_of_one_connection_or_of_our_receipt_are_not_relayed(house: House) -> None:
    theirs = {
        "server": "secret-server/1.0",
        "keep-alive": "timeout=5",
        "x-request-id": "theirs",
        "x-edgemind-site": "theirs",
        "x-edgemind-reason": "theirs",
        "x-edgemind-load": "9;9;9",
        "x-model-version": "7",
    }
    answer = house.chat(house.model("solo"), fake={"a": {"headers": theirs}})
    assert answer["x-model-version"] == "7"
    assert not any(value in {"theirs", "secret-server/1.0", "timeout=5", "9;9;9"} for _, value in answer.headers)
    assert len(answer.all("x-request-id")) == len(answer.all("date")) == 1


def test_the_service_time_that_a_server_states_is_not_added_latency(house: House) -> None:
    before = house.gateway.metrics()["edgemind_gateway_added_latency_seconds_count"]
    assert house.chat(house.model("solo"), fake={"a": {"headers": {"x-simulated-service-ms": "15.5"}}}).status == 200
    assert house.chat(house.model("solo"), fake={"a": {"headers": {"x-simulated-service-ms": "soon"}}}).status == 200
    assert house.gateway.metrics()["edgemind_gateway_added_latency_seconds_count"] == before + 1


def test_large_bodies_pass_both_ways(house: House) -> None:
    call = house.call(house.model("solo"), fake={"a": {"do": "flood", "size": 3 << 20}}, pad="x" * 900_000)
    answer = ask(house.gateway.port, "POST", call.path, call.body, call.headers)
    assert answer.body == b"x" * (3 << 20)
    assert house.upstreams.seen(call.marker)[0].body == call.body


def call_model(call: object) -> str:
    import json

    model: str = json.loads(call.body)["model"]  # type: ignore[attr-defined]
    return model


def _standstill(value: object) -> int:
    """A number once it has stopped growing (looked at for a while: there is no event for nothing happening)."""
    import time

    assert callable(value)
    last, same = -1, 0
    while same < 15:
        now = value()
        same = same + 1 if now == last and now > 0 else 0
        last = now
        time.sleep(0.01)
    return last
