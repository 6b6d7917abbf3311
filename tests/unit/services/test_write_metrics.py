import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.operations.counts import RequestCounts, SiteMeasures
from edgemind.errors import TemporaryError
from edgemind.ports.metric_sink import MetricSink
from edgemind.services.operations.write_metrics import Measured, MetricWriting
from edgemind.services.rounds.round_counts import RoundCounts
from tests.support.clocks import ManualClock
from tests.support.emf_schema import complaints
from tests.support.round_records import round_record

MINUTE = RequestCounts(requests=100, late=1, failed=2, shed=3, in_cloud=4, added_ms_p99=7.5)


class Sink:
    def __init__(self) -> None:
        self.written: list[Mapping[str, Any]] = []
        self.error: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()

    def write(self, document: Mapping[str, Any]) -> None:
        self.go_on.wait(5)
        if self.error is not None:
            raise self.error
        self.written.append(document)


def swarm(ok: bool = True) -> SwarmStatus:
    return SwarmStatus("1.1", True, ["site-a"], ok, 5.0, None, 0)


def writing(sink: MetricSink, rounds: RoundCounts | None = None, *, store: bool = True) -> MetricWriting:
    measured = Measured(
        lambda: SiteMeasures("site-a", 0, True, [None, MINUTE]),
        lambda: {"site-b": 40.0, "site-c": 90.0},
        lambda: swarm(store),
        lambda: True,
        rounds or RoundCounts(),
    )
    return MetricWriting("m", sink, measured, ManualClock())


def turns(one: MetricWriting, times: int = 1) -> None:
    async def play() -> None:
        for _ in range(times):
            one.turn()
            assert one._writing is not None
            await one._writing

    asyncio.run(play())


def test_a_minute_is_written_as_it_was_counted() -> None:
    sink, rounds = Sink(), RoundCounts()
    rounds.round(round_record(3))
    turns(writing(sink, rounds))
    [document] = sink.written
    assert complaints(dict(document)) == []
    told = {name: value for name, value in document.items() if name not in ("_aws", "metro", "site")}
    assert told == {
        "requests": 100, "failed": 2, "shed": 3, "late": 1, "cloud": 4, "added_latency_p99": 7.5,
        "rounds": 1, "rounds_in_time": 1, "round_decided": [round_record(3).decided_ms],
        "oldest_report": 90, "store_up": 1, "telemetry_dropped": 0,
    }  # fmt: skip


def test_rounds_are_told_once() -> None:
    sink, rounds = Sink(), RoundCounts()
    one = writing(sink, rounds)
    rounds.round(round_record(3))
    turns(one)
    turns(one)
    assert [document["rounds"] for document in sink.written] == [1, 0]
    assert "round_decided" not in sink.written[1]


def test_a_store_out_of_reach_is_told() -> None:
    sink = Sink()
    turns(writing(sink, store=False))
    assert sink.written[0]["store_up"] == 0


@pytest.mark.parametrize("error", [TemporaryError("nobody listens"), ValueError("a defect")])
def test_what_cannot_be_written_is_dropped_counted_and_told_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink, rounds = Sink(), RoundCounts()
    one = writing(sink, rounds)
    sink.error = error
    rounds.round(round_record(3))
    turns(one, 3)
    assert one.dropped == 3
    trouble = one.trouble
    assert trouble is not None
    assert caplog.text.count("metrics are not written") == 1
    sink.error = None
    turns(one)
    assert one.trouble is None
    assert sink.written[0]["telemetry_dropped"] == 3
    assert sink.written[0]["round_decided"] == [round_record(3).decided_ms]
    turns(one)
    assert sink.written[1]["telemetry_dropped"] == 0


def test_a_sink_that_hangs_holds_up_nobody() -> None:
    sink = Sink()
    one = writing(sink)

    async def play() -> None:
        sink.go_on.clear()
        for _ in range(3):
            one.turn()
        assert one.dropped == 2
        sink.go_on.set()
        assert one._writing is not None
        await one._writing

    asyncio.run(play())
    assert len(sink.written) == 1
