"""Spans leave through a thread: what is full, dead, refusing or hung is counted, and costs whoever offers nothing."""

import threading
import time
from collections.abc import Sequence

import pytest

from edgemind.adapters.telemetry import background
from edgemind.adapters.telemetry.background import BackgroundSpans
from edgemind.adapters.telemetry.otlp import OtlpSpans, Receiver
from edgemind.domain.spans import Span, SpanKind, SpanValue
from tests.support.gateway_process import eventually, free_ports
from tests.support.otlp_receiver import OtlpReceiver

OFFERS_IN_NO_TIME_S = 5.0
"""Far above what thousands of offers take, and far below what one export to a hung receiver does."""


def span(number: int = 1, error: str | None = None) -> Span:
    attributes: dict[str, SpanValue] = {"text": "a", "number": 2, "ratio": 0.5, "flag": True, "list": ("x", "y")}
    return Span("chat m", SpanKind.SERVER, "4b" * 16, f"{number:016x}", "00" * 7 + "07", 10, 20, attributes, error)


class Kept:
    """An exporter that keeps what it gets, and fails or waits as told."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.gate = threading.Event()
        self.gate.set()
        self.arrives = True
        self.asked = threading.Event()

    def export(self, spans: Sequence[Span]) -> bool:
        self.asked.set()
        self.gate.wait()
        if not self.arrives:
            raise ConnectionRefusedError("nobody listens")
        self.spans += spans
        return True


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FLUSH_S", 0.01)
    monkeypatch.setattr(background, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(background, "RETRY_MOST_S", 0.02)


def otlp(endpoint: str, timeout_s: float = 0.2) -> OtlpSpans:
    return OtlpSpans(Receiver(endpoint, {"x-key": "k"}, timeout_s), {"service.name": "edgemind-test"})


def test_everything_arrives_in_order_and_the_rest_at_the_end() -> None:
    kept = Kept()
    sink = BackgroundSpans(kept, 10_000)
    for number in range(1, 1001):
        sink.offer(lambda number=number: span(number))  # type: ignore[misc]
    sink.close()
    assert [int(one.span_id, 16) for one in kept.spans] == list(range(1, 1001))
    assert (sink.exported, sink.dropped) == (1000, 0)


def test_what_finds_no_room_is_dropped_and_counted() -> None:
    kept = Kept()
    kept.gate.clear()
    sink = BackgroundSpans(kept, 5)
    sink.offer(span)
    assert kept.asked.wait(OFFERS_IN_NO_TIME_S)
    for _ in range(12):
        sink.offer(span)
    assert sink.dropped == 7
    kept.gate.set()
    sink.close()
    assert (sink.exported, sink.dropped) == (6, 7)


def test_an_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.arrives = False
    sink = BackgroundSpans(kept, 10)
    for lost in (1, 2, 3):
        sink.offer(span)
        eventually("it was dropped", lambda lost=lost: sink.dropped == lost)  # type: ignore[misc]
    kept.arrives = True
    sink.offer(span)
    eventually("it arrived", lambda: sink.exported == 1)
    sink.close()
    told = [record.message for record in caplog.records if record.name == "edgemind.telemetry"]
    assert len(told) == 2, told
    assert told[1] == "spans arrive again; 3 were dropped so far"


def test_a_span_that_cannot_be_made_takes_no_other_with_it() -> None:
    kept = Kept()
    sink = BackgroundSpans(kept, 10)

    def odd() -> Span:
        raise KeyError("a record without its site")

    sink.offer(odd)
    sink.offer(span)
    sink.close()
    assert (sink.exported, sink.dropped) == (1, 1)


def test_a_span_arrives_as_opentelemetry_writes_it() -> None:
    with OtlpReceiver() as receiver:
        assert otlp(receiver.url).export([span(error="status 502"), span(2)])
        failed, well = receiver.spans
        path, headers, _ = receiver.requests[0]
    assert (path, headers["x-key"]) == ("/v1/traces", "k")
    assert (failed.trace_id, failed.span_id, failed.parent_id) == ("4b" * 16, "00" * 7 + "01", "00" * 7 + "07")
    assert (failed.start_ns, failed.end_ns, failed.error, well.error) == (10, 20, "status 502", None)
    assert failed.attributes == {"text": "a", "number": 2, "ratio": 0.5, "flag": True, "list": ["x", "y"]}
    assert failed.service == "edgemind-test"


@pytest.mark.parametrize("bad_day", ["dead", "refusing", "hung"])
def test_a_receiver_s_bad_day_costs_whoever_offers_nothing(bad_day: str) -> None:
    with OtlpReceiver(403 if bad_day == "refusing" else 200, hang=bad_day == "hung") as receiver:
        endpoint = f"http://127.0.0.1:{free_ports(1)[0]}/v1/traces" if bad_day == "dead" else receiver.url
        sink = BackgroundSpans(otlp(endpoint), 50)
        sink.offer(span)
        if bad_day != "dead":
            receiver.wait_asked()
        started_s = time.monotonic()
        for _ in range(5000):
            sink.offer(span)
        assert time.monotonic() - started_s < OFFERS_IN_NO_TIME_S
        eventually("what was offered is counted as dropped", lambda: sink.dropped >= 4000)
        sink.close()
        assert sink.exported == 0
