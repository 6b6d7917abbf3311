import pytest

from edgemind.entrypoints.gateway.answers import answer_refusal
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.refusals import bad_request
from tests.support.gateway_parts import head


class Wire:
    """A client connection that keeps what is written; `full` makes it a slow one."""

    def __init__(self) -> None:
        self.written = b""
        self.full = False
        self.events: list[str] = []

    def write(self, data: bytes) -> bool:
        self.written += data
        return not self.full

    def answered(self, exchange: Exchange) -> None:
        self.events.append("answered")

    def abort(self) -> None:
        self.events.append("abort")

    def reset(self) -> None:
        self.events.append("reset")


class Upstream:
    def __init__(self) -> None:
        self.events: list[str] = []

    def hang_up(self) -> None:
        self.events.append("hang up")

    def pause(self) -> None:
        self.events.append("pause")

    def resume(self) -> None:
        self.events.append("resume")


def exchange(wire: Wire, version: str = "1.1", method: str = "POST", *, keep_alive: bool = True) -> Exchange:
    made = Exchange(wire, head(method, version=version), b"", 0.0, b"date: now\r\n", keep_alive)
    made.relayed = Upstream()
    return made


def test_a_whole_answer_is_one_write() -> None:
    wire = Wire()
    exchange(wire).start(200, b"x: y\r\n", b"hello", length=5, complete=True)
    assert wire.written == b"HTTP/1.1 200 OK\r\ndate: now\r\nx: y\r\ncontent-length: 5\r\n\r\nhello"
    assert wire.events == ["answered"]


def test_an_unknown_length_is_chunked_and_ends_with_the_last_chunk() -> None:
    wire = Wire()
    one = exchange(wire)
    one.start(200, b"", b"hello", length=None, complete=False)
    one.push(b"more")
    one.finish(b"last")
    assert wire.written.endswith(b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\nmore\r\n4\r\nlast\r\n0\r\n\r\n")
    one.finish()
    assert wire.written.count(b"0\r\n\r\n") == 1
    assert wire.events == ["answered"]


@pytest.mark.parametrize("chunk", [b"", b"all"])
def test_a_complete_answer_of_unknown_length_is_chunked_in_one_write(chunk: bytes) -> None:
    wire = Wire()
    exchange(wire).start(200, b"", chunk, length=None, complete=True)
    assert wire.written.endswith((b"3\r\nall\r\n" if chunk else b"\r\n\r\n") + b"0\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_are_not_framed(status: int) -> None:
    wire = Wire()
    exchange(wire).start(status, b"", b"", length=None, complete=True)
    assert wire.written.endswith(b"date: now\r\n\r\n")


def test_http_1_0_gets_no_chunks_and_its_end_is_the_connections_end() -> None:
    wire = Wire()
    one = exchange(wire, "1.0", keep_alive=False)
    one.start(200, b"", b"hello", length=None, complete=False)
    one.finish(b" you")
    assert wire.written.endswith(b"connection: close\r\n\r\nhello you")


def test_a_cut_is_never_a_clean_end() -> None:
    modern, old = Wire(), Wire()
    for wire, version in ((modern, "1.1"), (old, "1.0")):
        one = exchange(wire, version)
        one.start(200, b"", b"half", length=None, complete=False)
        one.cut()
    assert (modern.events, old.events) == (["abort"], ["reset"])
    assert not modern.written.endswith(b"0\r\n\r\n")


def test_a_connection_that_ends_says_so() -> None:
    wire = Wire()
    exchange(wire, keep_alive=False).start(200, b"", b"", length=0, complete=True)
    assert b"connection: close\r\n" in wire.written


def test_a_slow_reader_pauses_the_upstream() -> None:
    wire = Wire()
    one = exchange(wire)
    upstream = one.relayed
    assert isinstance(upstream, Upstream)
    wire.full = True
    one.start(200, b"", b"x", length=None, complete=False)
    one.push(b"y")
    assert upstream.events == ["pause", "pause"]


def test_after_a_hang_up_nothing_is_written_and_the_upstream_told_once() -> None:
    wire = Wire()
    one = exchange(wire)
    upstream = one.relayed
    one.hang_up()
    one.hang_up()
    one.start(200, b"", b"x", length=1, complete=True)
    one.push(b"y")
    one.finish()
    assert isinstance(upstream, Upstream)
    assert (wire.written, upstream.events) == (b"", ["hang up"])


def test_a_refusal_is_written_unless_an_answer_has_begun() -> None:
    wire = Wire()
    answer_refusal(exchange(wire), bad_request("no"), b"x-own: 1\r\n")
    assert wire.written.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"x-own: 1\r\n" in wire.written
    begun = Wire()
    one = exchange(begun)
    one.start(200, b"", b"x", length=None, complete=False)
    answer_refusal(one, bad_request("no"))
    assert b"400" not in begun.written


def test_a_head_request_is_refused_without_a_body() -> None:
    wire = Wire()
    answer_refusal(exchange(wire, method="HEAD"), bad_request("no"))
    assert wire.written.endswith(b"\r\n\r\n")
