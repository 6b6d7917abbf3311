from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.limits import Limits
from edgemind.entrypoints.gateway.heads import SEEN_HEADS_LIMIT, Head, SeenHeads
from edgemind.entrypoints.gateway.reading import Phase, RequestReader
from edgemind.entrypoints.gateway.refusals import Refusal

LIMITS = Limits(max_body_bytes=100_000)
NOBODY = Refusal(401, "authentication_error", "invalid_api_key", "no")


def post(body: bytes, *lines: str, length: int | None = None) -> bytes:
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        "host: a",
        f"content-length: {len(body) if length is None else length}",
    ]
    return "\r\n".join([*head, *lines, "", ""]).encode() + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + end


class Reading:
    """A reader with what came out of it. `refuse` is what the preflight says."""

    def __init__(self, refuse: Refusal | None = None, seen: SeenHeads | None = None, limits: Limits = LIMITS) -> None:
        self.looked_at: list[Head] = []
        self.asked_room: list[int] = []
        self.full: Refusal | None = None
        self.bodies: list[bytes] = []
        self.heads: list[Head] = []
        self._refuse = refuse
        self.reader = RequestReader(limits, self._preflight, self._room, seen or SeenHeads())

    def _preflight(self, head: Head) -> Refusal | None:
        self.looked_at.append(head)
        return self._refuse

    def _room(self) -> Refusal | None:
        self.asked_room.append(self.reader.held_bytes)
        return self.full

    def feed(self, data: bytes, *, nothing_pending: bool = True) -> "Reading":
        for head, body in self.reader.feed(data, nothing_pending=nothing_pending):
            self.heads.append(head)
            self.bodies.append(body)
        return self

    @property
    def refused(self) -> tuple[int, str] | None:
        refusal = self.reader.refusal
        return None if refusal is None else (refusal.status, refusal.code)


def test_a_whole_request_at_once() -> None:
    got = Reading().feed(post(b"hello", "x-some: thing"))
    assert got.bodies == [b"hello"]
    head = got.heads[0]
    assert (head.method, head.path, head.http_version, head.keep_alive, head.length) == (
        b"POST", "/v1/chat/completions", "1.1", True, 5
    )  # fmt: skip
    assert head.header[b"x-some"] == b"thing"
    assert got.reader.phase is Phase.IDLE


WHOLE = st.sampled_from([post(b"one"), post(b""), chunked(b"t", b"wo"), post(b"x" * 3000)])


@given(st.lists(WHOLE, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_however_it_is_cut_it_is_the_same(requests: list[bytes], rng: Random) -> None:
    data, whole, cut = b"".join(requests), Reading(), Reading()
    whole.feed(data)
    while data:
        size = rng.choice((1, 2, 10, 500, 5000))
        cut.feed(data[:size])
        data = data[size:]
    assert whole.bodies == cut.bodies
    assert len(whole.bodies) == len(requests)
    assert cut.reader.phase is Phase.IDLE
    assert cut.refused is None


def test_phases() -> None:
    reading = Reading()
    phases = [
        reading.feed(part).reader.phase
        for part in (b"POST / HTTP/1.1\r\n", b"host: a\r\ncontent-length: 2\r\n\r\n", b"a", b"b")
    ]
    assert phases == [Phase.HEAD, Phase.BODY, Phase.BODY, Phase.IDLE]


def test_a_request_that_is_refused_does_not_take_those_before_it_along() -> None:
    got = Reading().feed(post(b"good") + b"\x00bad")
    assert got.bodies == [b"good"]
    assert got.refused == (400, "bad_request")


def test_what_was_handed_over_is_not_kept() -> None:
    reading = Reading().feed(post(b"x" * 1000))
    assert reading.reader._whole == []
    assert reading.reader._chunks == []


# Limits


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\nhost: a\r\nx: ", b"GET /", b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /"]
)
def test_an_unfinished_head_is_bounded(start: bytes) -> None:
    got = Reading().feed(start)
    fed = 0
    while got.refused is None:
        got.feed(b"y" * 1000)
        fed += 1000
    assert got.refused == (431, "headers_too_large")
    assert 31_000 < fed < 35_000


def test_an_unfinished_trailer_is_bounded() -> None:
    got = Reading().feed(chunked(b"body", end=b"0\r\nx: "))
    fed = 0
    while got.refused is None:
        got.feed(b"y" * 1000)
        fed += 1000
    assert got.refused == (431, "headers_too_large")
    assert fed < 35_000


def test_a_large_body_counts_neither_as_head_nor_against_the_next_one() -> None:
    got = Reading().feed(post(b"x" * 90_000) + b"POST / HTT")
    assert (len(got.bodies), got.refused) == (1, None)
    got.feed(b"P/1.1\r\nhost: a\r\n\r\n")
    assert (len(got.bodies), got.refused) == (2, None)


def test_a_body_in_many_reads_is_not_taken_for_a_head() -> None:
    got = Reading().feed(post(b"", length=90_000))
    for _ in range(90):
        got.feed(b"x" * 1000)
    assert (len(got.bodies[0]), got.refused) == (90_000, None)


def test_a_body_over_the_limit_is_refused_by_its_length_or_when_it_is_reached() -> None:
    assert Reading().feed(post(b"", length=100_001)).refused == (413, "body_too_large")
    assert Reading().feed(chunked(b"x" * 60_000, b"x" * 60_000)).refused == (413, "body_too_large")
    assert len(Reading().feed(post(b"x" * 100_000)).bodies) == 1


def test_a_large_or_endless_body_is_read_for_somebody_only() -> None:
    assert Reading(NOBODY).feed(post(b"", length=70_000)).refused == (401, "invalid_api_key")
    assert Reading(NOBODY).feed(chunked(b"")[:80]).refused == (401, "invalid_api_key")
    small = Reading(NOBODY).feed(post(b"small"))
    assert (small.refused, small.looked_at, small.bodies) == (None, [], [b"small"])
    behind = Reading(NOBODY).feed(post(b"", length=70_000), nothing_pending=False)
    assert behind.refused is None, "while an earlier answer is due, nothing may be answered"


def test_a_large_body_is_read_while_there_is_room_for_it_whatever_is_pending() -> None:
    full = Refusal(503, "server_error", "too_many_bodies", "later")
    for pending in (True, False):
        got = Reading()
        got.full = full
        got.feed(post(b"small")).feed(post(b"", length=70_000), nothing_pending=pending)
        assert (got.refused, len(got.bodies)) == ((503, "too_many_bodies"), 1)
    assert Reading(NOBODY).feed(post(b"", length=70_000)).asked_room == [], "who may not send needs no room"


def test_a_body_under_way_counts_as_announced_and_one_of_unknown_length_as_it_doubles() -> None:
    known = Reading().feed(post(b"x" * 10, length=70_000))
    assert (known.reader.held_bytes, known.asked_room) == (70_000, [70_000])
    known.feed(b"x" * 69_990)
    assert known.reader.held_bytes == 0

    unknown = Reading().feed(chunked(b"x" * 60_000, end=b""))
    assert (unknown.reader.held_bytes, unknown.asked_room) == (65_536, [])
    unknown.full = Refusal(503, "server_error", "too_many_bodies", "later")
    unknown.feed(b"1770\r\n" + b"x" * 6000)
    assert (unknown.asked_room, unknown.refused) == ([131_072], (503, "too_many_bodies"))


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0"])
def test_other_versions_are_refused(version: str) -> None:
    assert Reading().feed(f"GET / HTTP/{version}\r\nhost: a\r\n\r\n".encode()).refused == (400, "bad_request")
    assert Reading().feed(b"GET /\r\n\r\n").refused == (400, "bad_request")


@pytest.mark.parametrize(("lines", "refused"), [((), True), (("host: a",), False), (("host: a", "host: a"), True)])
def test_exactly_one_host(lines: tuple[str, ...], refused: bool) -> None:
    data = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()
    assert (Reading().feed(data).refused == (400, "bad_request")) is refused
    assert Reading().feed(b"GET / HTTP/1.0\r\n\r\n").refused is None


# What is odd


def test_a_trailer_is_no_header() -> None:
    got = Reading().feed(chunked(b"body", end=b"0\r\nx-edgemind-priority: high\r\n\r\n"))
    assert got.bodies == [b"body"]
    assert b"x-edgemind-priority" not in dict(got.heads[0].headers)


@pytest.mark.parametrize("pieces", [1, 3, 40])
def test_an_upgrade_is_read_as_if_it_had_not_been_asked_for(pieces: int) -> None:
    asks = post(b"body", "connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: x")
    data = asks + post(b"next") + asks
    got, step = Reading(), len(data) // pieces + 1
    for start in range(0, len(data), step):
        got.feed(data[start : start + step])
    assert got.bodies == [b"body", b"next", b"body"]
    assert all(head.keep_alive for head in got.heads)
    closing = Reading().feed(post(b"body", "connection: upgrade, close", "upgrade: h2c"))
    assert (closing.bodies, closing.heads[0].keep_alive) == ([b"body"], False)


@pytest.mark.parametrize(
    "first", [b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"]
)
def test_what_comes_behind_a_last_request_is_ignored(first: bytes) -> None:
    got = Reading().feed(first + post(b"behind"))
    assert (len(got.bodies), got.refused) == (1, None)
    assert not got.heads[0].keep_alive


def test_connect_is_refused() -> None:
    assert Reading().feed(b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n").refused == (400, "bad_request")


def test_who_waits_to_be_asked_for_the_body() -> None:
    got = Reading().feed(post(b"", "expect: 100-Continue", length=5))
    assert got.reader.wants_continue
    assert not got.feed(b"hello").reader.wants_continue
    assert not Reading().feed(post(b"hello", "expect: 100-continue")).reader.wants_continue


# Heads seen before


def test_a_head_seen_before_is_the_same_head_and_the_body_is_its_own() -> None:
    seen = SeenHeads()
    first, second = Reading(seen=seen).feed(post(b"one")), Reading(seen=seen).feed(post(b"two"))
    assert first.heads[0] is second.heads[0]
    assert second.bodies == [b"two"]
    seen.forget()
    assert Reading(seen=seen).feed(post(b"two")).heads[0] is not first.heads[0]


@pytest.mark.parametrize(
    "data",
    [
        post(b"one") + post(b"two"),
        post(b"one") + b"x",
        post(b"one", "connection: close"),
        chunked(b"one"),
        b"\r\n\r\n" + post(b"one"),
        post(b"one", "expect: 100-continue"),
        post(b"one", "x-filler: " + "y" * 5000),
        post(b"one\r\n\r\ntwo")[:-1],
        post(b"one", "x-edgemind-site-token: t"),
    ],
)
def test_only_the_head_of_one_plain_whole_request_is_remembered(data: bytes) -> None:
    seen = SeenHeads()
    Reading(seen=seen).feed(data)
    assert not seen._heads


def test_a_body_that_looks_like_a_request_stays_a_body() -> None:
    seen = SeenHeads()
    inner = post(b"in")
    for _ in range(3):
        got = Reading(seen=seen).feed(post(inner))
        assert got.bodies == [inner]
    Reading(seen=seen).feed(inner)
    assert Reading(seen=seen).feed(post(inner)).bodies == [inner]


def test_a_length_that_does_not_fit_is_parsed_again() -> None:
    seen = SeenHeads()
    Reading(seen=seen).feed(post(b"one"))
    half = Reading(seen=seen).feed(post(b"one")[:-1])
    assert (half.bodies, half.reader.phase) == ([], Phase.BODY)
    assert half.feed(b"e").bodies == [b"one"]
    assert Reading(seen=seen).feed(post(b"one") * 2).bodies == [b"one", b"one"]


def test_they_are_bounded() -> None:
    seen = SeenHeads()
    for number in range(SEEN_HEADS_LIMIT * 2 + 5):
        Reading(seen=seen).feed(post(b"", f"x: {number}"))
    assert 0 < len(seen._heads) <= SEEN_HEADS_LIMIT


@given(
    st.lists(
        st.binary(max_size=80) | st.sampled_from([post(b"one"), chunked(b"two"), b"\r\n\r\n", b"GET / HTTP/1.1\r\n"]),
        max_size=6,
    )
)
def test_any_bytes_are_requests_or_a_refusal_and_never_an_error(packets: list[bytes]) -> None:
    reading, seen = Reading(), SeenHeads()
    reading.reader = RequestReader(LIMITS, lambda head: None, lambda: None, seen)
    for packet in packets:
        if reading.refused is None:
            reading.feed(packet)
