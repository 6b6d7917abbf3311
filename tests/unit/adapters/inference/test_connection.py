import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.adapters.inference.connection import JOIN_BELOW_BYTES, ClientLimits, Connection, Request
from edgemind.adapters.inference.dead_paths import UNACKNOWLEDGED_MS
from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.inference import Answer

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Time:
    """The one thing a connection asks of its loop."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def time(self) -> float:
        return self.now_s


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.options: dict[tuple[int, int], int] = {}
        self._reads = True
        self.closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options[level, option] = value

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def is_reading(self) -> bool:
        return self._reads

    def pause_reading(self) -> None:
        self._reads = False

    def resume_reading(self) -> None:
        self._reads = True


class Pool:
    def __init__(self) -> None:
        self.origin = "http://upstream"
        self.limits = ClientLimits(first_byte_s=10.0, silence_s=5.0, idle_s=3.0, max_head_bytes=1000)
        self.time = Time()
        self.loop: Any = self.time
        self.again: list[Request] = []
        self.released: list[bool] = []
        self.forgotten = 0

    def connect(self, request: Request) -> None:
        self.again.append(request)

    def release(self, connection: Connection, *, reusable: bool) -> None:
        self.released.append(reusable)
        if reusable:
            connection.rest()
        else:
            connection.close()

    def forget(self, connection: Connection) -> None:
        self.forgotten += 1


class Sink:
    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def on_answer(self, answer: Answer) -> None:
        self.events.append(("answer", answer.status, answer.take(), answer.complete))

    def on_chunk(self, chunk: bytes) -> None:
        self.events.append(("chunk", chunk))

    def on_end(self) -> None:
        self.events.append(("end",))

    def on_failed(self, error: Exception) -> None:
        self.events.append(("failed", type(error)))


class Stage:
    def __init__(self) -> None:
        self.pool, self.wire = Pool(), Wire()
        self.connection = Connection(self.pool)
        self.connection.connection_made(self.wire)

    def ask(self, body: bytes = b"body") -> tuple[Request, list[tuple[Any, ...]]]:
        sink = Sink()
        request = Request(self.pool, b"HEAD", body, sink)
        self.connection.start(request)
        return request, sink.events


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_whole_answer_comes_in_one_call_and_frees_the_connection(stage: Stage) -> None:
    request, events = stage.ask()
    assert stage.wire.written == b"HEADbody"
    stage.connection.data_received(OK)
    assert events == [("answer", 200, b"hello", True)]
    assert stage.pool.released == [True]
    assert request.headers == [(b"content-length", b"5")]
    _, events = stage.ask()
    stage.connection.data_received(OK)
    assert events == [("answer", 200, b"hello", True)]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="platform: this system has no such option")
def test_a_network_that_is_cut_ends_the_connection(stage: Stage) -> None:
    assert stage.wire.options == {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE): 1,
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL): 1,
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT): UNACKNOWLEDGED_MS,
    }
    _, events = stage.ask()
    stage.connection.connection_lost(TimeoutError())
    assert events == [("failed", UpstreamFailed)]


@pytest.mark.parametrize("size", [JOIN_BELOW_BYTES - 1, JOIN_BELOW_BYTES])
def test_large_bodies_are_written_whole_as_well(stage: Stage, size: int) -> None:
    stage.ask(b"x" * size)
    assert stage.wire.written == b"HEAD" + b"x" * size


def test_headers_alone_are_no_answer_yet(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    assert events == []
    stage.connection.data_received(b"2\r\nab\r\n")
    stage.connection.data_received(b"2\r\ncd\r\n")
    stage.connection.data_received(b"0\r\n\r\n")
    assert events == [("answer", 200, b"ab", False), ("chunk", b"cd"), ("end",)]


def test_an_answer_without_a_body_is_complete(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert events == [("answer", 204, b"", True)]


def test_interim_answers_are_passed_over(stage: Stage) -> None:
    request, events = stage.ask()
    stage.connection.data_received(b"HTTP/1.1 100 Continue\r\nx-early: 1\r\n\r\n" + OK)
    assert events == [("answer", 200, b"hello", True)]
    assert request.headers == [(b"content-length", b"5")]


def test_a_trailer_is_no_header(stage: Stage) -> None:
    request, _ = stage.ask()
    stage.connection.data_received(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-trailer: 1\r\n\r\n"
    )
    assert request.headers == [(b"transfer-encoding", b"chunked")]


def test_without_a_length_the_end_of_the_connection_is_the_end(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.data_received(b"HTTP/1.0 200 OK\r\n\r\nhel")
    stage.connection.data_received(b"lo")
    stage.connection.eof_received()
    assert events == [("answer", 200, b"hel", False), ("chunk", b"lo"), ("end",)]
    assert stage.pool.released == [False]


# Failures


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_a_failure(stage: Stage, data: bytes) -> None:
    _, events = stage.ask()
    stage.connection.data_received(data)
    assert events == [("failed", UpstreamFailed)]
    assert stage.wire.closing


def test_dying_before_the_first_byte_is_a_failure_and_after_it_a_cut(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
    stage.connection.connection_lost(None)
    assert events == [("failed", UpstreamFailed)]
    other = Stage()
    _, events = other.ask()
    other.connection.data_received(OK[:-1])
    other.connection.connection_lost(ConnectionResetError())
    assert events[1:] == [("failed", UpstreamCut)]


def test_an_end_before_the_length_is_reached_is_no_end(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.data_received(OK[:-1])
    stage.connection.eof_received()
    stage.connection.connection_lost(None)
    assert events[-1] == ("failed", UpstreamCut)


def test_a_kept_connection_that_died_is_tried_once_more_on_a_new_one(stage: Stage) -> None:
    stage.ask()
    stage.connection.data_received(OK)
    request, events = stage.ask()
    stage.connection.connection_lost(None)
    assert (stage.pool.again, events) == ([request], [])
    second = Stage()
    second.connection.rest()
    second.connection.start(request)
    second.connection.connection_lost(None)
    assert events == [("failed", UpstreamFailed)]


def test_a_new_connection_that_dies_is_a_failure(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.connection_lost(None)
    assert (stage.pool.again, events) == ([], [("failed", UpstreamFailed)])


def test_unreachable_stays_unreachable(stage: Stage) -> None:
    request, events = stage.ask()
    request.failed(UpstreamUnreachable("no"), reused=False)
    assert events == [("failed", UpstreamUnreachable)]


# Bytes nobody asked for


@pytest.mark.parametrize("behind", [OK, OK[:20], b"garbage", b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nxx"])
def test_what_comes_behind_an_answer_ends_the_connection(stage: Stage, behind: bytes) -> None:
    _, events = stage.ask()
    stage.connection.data_received(OK + behind)
    assert events == [("answer", 200, b"hello", True)]
    assert stage.wire.closing
    assert stage.pool.forgotten
    later = Stage()
    later.connection.data_received(behind)
    assert later.wire.closing


# Cancelling, pausing, time


def test_a_cancelled_request_says_nothing_more_and_its_connection_ends(stage: Stage) -> None:
    request, events = stage.ask()
    stage.connection.data_received(OK[:-2])
    request.cancel()
    assert stage.wire.closing
    stage.connection.connection_lost(None)
    assert events == [("answer", 200, b"hel", False)]


def test_cancelling_what_is_complete_leaves_the_connection_to_others(stage: Stage) -> None:
    request, _ = stage.ask()
    stage.connection.data_received(OK)
    request.cancel()
    assert not stage.wire.closing


def test_a_paused_upstream_is_not_a_silent_one(stage: Stage) -> None:
    request, events = stage.ask()
    stage.connection.data_received(OK[:-2])
    request.pause()
    assert not stage.wire.is_reading()
    stage.pool.time.now_s = 1000.0
    stage.connection.check(1000.0)
    assert len(events) == 1
    request.resume()
    assert stage.wire.is_reading()
    stage.connection.check(1004.9)
    assert len(events) == 1
    stage.connection.check(1005.1)
    assert events[1:] == [("failed", UpstreamCut)]


def test_the_first_byte_the_gaps_and_the_idle_time_have_limits(stage: Stage) -> None:
    _, events = stage.ask()
    stage.connection.check(9.9)
    assert events == []
    stage.connection.check(10.1)
    assert events == [("failed", UpstreamFailed)]
    idle = Stage()
    idle.ask()
    idle.connection.data_received(OK)
    idle.connection.check(2.9)
    assert not idle.wire.closing
    idle.connection.check(3.1)
    assert idle.wire.closing


def test_a_connection_at_rest_reads_again(stage: Stage) -> None:
    request, _ = stage.ask()
    stage.connection.data_received(OK[:-2])
    request.pause()
    stage.connection.data_received(OK[-2:])
    assert stage.wire.is_reading()


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([OK, OK[:30], b"HTTP/1.1 200 OK\r\n", b"0\r\n\r\n"]), max_size=6)
)
def test_any_bytes_end_in_an_answer_or_a_failure_and_never_in_an_error(packets: list[bytes]) -> None:
    stage = Stage()
    _, events = stage.ask()
    for packet in packets:
        if not stage.wire.closing:
            stage.connection.data_received(packet)
    stage.connection.connection_lost(None)
    kinds = [event[0] for event in events]
    assert kinds.count("answer") <= 1
    assert kinds.count("failed") + kinds.count("end") <= 1
    whole = kinds[:1] == ["answer"] and events[0][3]
    assert whole or kinds[-1] in {"end", "failed"}
