"""W3C Trace Context, level 1: the examples of the recommendation and of its own test suite, by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.trace_context import (
    MAX_STATE_BYTES,
    TraceContext,
    bounded_tracestate,
    continued_trace,
    format_traceparent,
    parse_traceparent,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def parent(version: str = "00", trace: str = TRACE, span: str = SPAN, flags: str = "01", more: str = "") -> bytes:
    return f"{version}-{trace}-{span}-{flags}{more}".encode()


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True), ("ff", True), ("fe", False)]
)
def test_only_the_sampled_flag_counts(flags: str, sampled: bool) -> None:
    assert parse_traceparent(parent(flags=flags)) == TraceContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "raw",
    [
        parent(version="ff"),
        parent(version="0"),
        parent(version="000"),
        parent(version="0x"),
        parent(more="-extra"),
        parent(more="-"),
        parent(more="."),
        parent(version="01", more="extra"),
        parent(version="01", more="."),
        parent(trace="0" * 32),
        parent(span="0" * 16),
        parent(trace=TRACE.upper()),
        parent(span=SPAN.upper()),
        parent(version="0A"),
        parent(flags="0A"),
        parent(trace=TRACE[1:]),
        parent(trace=TRACE + "0"),
        parent(span=SPAN[1:]),
        parent(flags="1"),
        parent(flags="001"),
        parent(flags="0."),
        parent() + b"\n",
        parent().replace(b"-", b"_"),
        b"",
        b"\xd9\xa0" * 55,
    ],
)
def test_what_breaks_a_rule_is_as_none(raw: bytes) -> None:
    assert parse_traceparent(raw) is None


@pytest.mark.parametrize("more", ["", "-", "-what-the-future-brings"])
def test_a_later_version_is_read_as_far_as_this_one_goes(more: str) -> None:
    assert parse_traceparent(parent(version="cc", more=more)) == TraceContext(TRACE, SPAN, True)


@given(st.binary(max_size=80))
def test_no_bytes_raise(raw: bytes) -> None:
    found = parse_traceparent(raw)
    if found is not None and raw.startswith(b"00"):
        assert raw[:52].decode() == format_traceparent(found.trace_id, found.parent_id, sampled=True)[:52]


def test_two_parents_are_none() -> None:
    assert continued_trace([(b"traceparent", parent()), (b"traceparent", parent())]) is None
    assert continued_trace([(b"tracestate", b"a=1")]) is None
    assert continued_trace([(b"traceparent", b"nonsense"), (b"tracestate", b"a=1")]) is None


def test_states_of_several_headers_are_one_in_order() -> None:
    headers = [(b"traceparent", parent()), (b"tracestate", b"a=1, b=2"), (b"x", b"y"), (b"tracestate", b",c=3\t")]
    assert continued_trace(headers) == TraceContext(TRACE, SPAN, True, b"a=1,b=2,c=3")


@pytest.mark.parametrize("value", [b"a", b"=1", b"A=1", b"a=1\r\nx: y", b"a=\xff", b"a=b=c", b"0a=1", b"a=1;\x00"])
def test_a_malformed_state_is_left_out_and_the_trace_goes_on(value: bytes) -> None:
    assert continued_trace([(b"traceparent", parent()), (b"tracestate", value)]) == TraceContext(TRACE, SPAN, True)


def test_a_state_is_bounded_in_members_and_bytes() -> None:
    many = bounded_tracestate([b",".join(b"k%d=v" % number for number in range(40))])
    assert many.count(b",") == 31
    long = bounded_tracestate([b",".join(b"k%d=%b" % (number, b"x" * 200) for number in range(5))])
    assert len(long) <= MAX_STATE_BYTES
    assert long.count(b",") == 1
    assert bounded_tracestate([b"tenant@vendor=1"]) == b"tenant@vendor=1"
