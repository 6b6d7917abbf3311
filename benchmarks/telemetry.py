"""`benchmarks telemetry`: one gateway with telemetry off, on, and on with a receiver that is dead or hung."""

import json
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.contenders import stage
from benchmarks.gateway import Progress, others_watched, start_all
from benchmarks.machine import choose_cores, pinned
from benchmarks.peers.base import StartError
from benchmarks.peers.edgemind_telemetry import OFF, telemetry_peers
from benchmarks.processes import free_port, running, wait_until
from benchmarks.rounds import Plan, Record, RoundSample, run_rounds
from benchmarks.rows import Pick

SETTLE_S = 1.3
"""Spans leave once a second: what that costs belongs to the requests that they are of."""
MEASURES: dict[str, Pick] = {
    "saturated": lambda sample: sample.cpu_us,
    "2000/s": lambda sample: sample.working_cpu_us,
    "200/s": lambda sample: sample.paced_cpu_us,
    "SSE": lambda sample: sample.sse_cpu_us,
    "p50": lambda sample: sample.p50_us,
    "p99": lambda sample: sample.p99_us,
}
"""CPU in microseconds a request (SSE: a stream), and latency in microseconds at 200 requests/s."""


@dataclass(frozen=True, slots=True)
class TelemetryRow:
    """`value` and `ratio` (to the gateway without telemetry, of the same round) by measure: medians over rounds."""

    name: str
    value: dict[str, float | None]
    ratio: dict[str, float | None]
    rss_mb: float | None
    answered: int
    dropped: int
    errors: int


@dataclass(frozen=True, slots=True)
class TelemetryOutcome:
    rows: tuple[TelemetryRow, ...]
    not_measured: dict[str, str]
    others_cpu_ratio: float


def measure_telemetry(
    plan: Plan, environments: Path, cores_available: frozenset[int], progress: Progress
) -> TelemetryOutcome:
    """Raises StartError if the mock model servers, the receiver or the gateway without telemetry do not start."""
    cores = choose_cores(cores_available)
    with (
        TemporaryDirectory(prefix="edgemind-bench-") as directory,
        stage(Path(directory), environments, cores, 2.0) as (place, stack),
        pinned(cores.rest),
    ):
        sink, hung, dead = free_port(), free_port(), free_port()
        log = Path(directory) / "sink.log"
        command = [sys.executable, "-m", "benchmarks.otlp_sink", "--port", str(sink), "--hung-port", str(hung)]
        receiver = stack.enter_context(running(command, cores.rest, log))
        wait_until(lambda: _listens(hung), receiver, log, 10.0)
        peers = telemetry_peers(*(f"http://127.0.0.1:{port}/v1/traces" for port in (sink, hung, dead)))
        started, not_started = start_all(peers, place, stack, progress)
        if OFF in not_started:
            raise StartError(f"the gateway without telemetry did not start: {not_started[OFF]}")
        with others_watched(len(cores_available)) as others:
            records = run_rounds(started, replace(plan, settle_s=SETTLE_S), progress)
        dropped = {record.contender.name: _dropped(place.directory / record.contender.name) for record in records}
    failed = {record.contender.name: record.failure for record in records if record.failure is not None}
    rows = rows_of([record for record in records if record.failure is None], dropped)
    return TelemetryOutcome(rows, {**not_started, **failed}, others.cpu_ratio)


def rows_of(records: Sequence[Record], dropped: Mapping[str, int]) -> tuple[TelemetryRow, ...]:
    """Without the one that is off, ratios are None."""
    off = next((record.samples for record in records if record.contender.name == OFF), [])
    return tuple(_row(record, off, dropped.get(record.contender.name, 0)) for record in records)


def _row(record: Record, off: Sequence[RoundSample], dropped: int) -> TelemetryRow:
    return TelemetryRow(
        record.contender.name,
        {name: _median([pick(sample) for sample in record.samples]) for name, pick in MEASURES.items()},
        {
            name: _median([_ratio(pick(one), pick(base)) for one, base in zip(record.samples, off, strict=False)])
            for name, pick in MEASURES.items()
        },
        record.rss_mb,
        record.answered,
        dropped,
        record.errors.total(),
    )


def _ratio(value: float | None, base: float | None) -> float | None:
    return None if value is None or not base else value / base


def _median(values: Sequence[float | None]) -> float | None:
    taken = [value for value in values if value is not None]
    return median(taken) if taken else None


def _dropped(directory: Path) -> int:
    """Spans that a gateway dropped, as its metrics tell."""
    admin = json.loads((directory / "edgemind.yaml").read_text())["sites"][0]["admin"]
    with urlopen(f"{admin}/metrics", timeout=5.0) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("edgemind_telemetry_dropped_total"))))


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
