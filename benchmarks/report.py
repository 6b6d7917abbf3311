"""What a run prints and what it writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.rows import Outcome, Row

GATEWAY_METHOD = (
    "one core for gateways, mock model servers and load on the others; rounds interleaved between peers; CPU = kernel "
    "accounting of the process tree per right answer, 16 keep-alive connections: saturated (closed loop), then at 2000 "
    "and 200 requests/s (open loop, Poisson); SSE: streams of 20 events, closed loop; latency at 200 requests/s, first "
    "byte at 40 streams/s, less the direct median of the same round; medians over rounds"
)
_QUIET_RATIO = 0.05
_HEADER = (
    *("gateway", "CPU us", "x Envoy", "2000/s us", "x Envoy", "200/s us", "x Envoy", "SSE us", "x Envoy"),
    *("+p50 us", "+p99 us", "1st byte +us", "RSS MB", "errors"),
)


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Left-aligned first column, the others right-aligned."""
    widths = [max(len(line[k]) for line in (header, *lines)) for k in range(len(header))]
    rows = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in (header, *lines)]
    for row, line in zip(rows, (header, *lines), strict=True):
        row[0] = line[0].ljust(widths[0])
    return "\n".join("  ".join(row) for row in rows)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _number(row.cpu_us, 1),
        _number(row.ratio_to_envoy, 2),
        _number(row.working_cpu_us, 0),
        _number(row.working_ratio_to_envoy, 2),
        _number(row.paced_cpu_us, 0),
        _number(row.paced_ratio_to_envoy, 2),
        _number(row.sse_cpu_us, 0),
        _number(row.sse_ratio_to_envoy, 2),
        _number(row.added_p50_us, 0),
        _number(row.added_p99_us, 0),
        _number(row.first_byte_delay_us, 0),
        _number(row.rss_mb, 1),
        str(row.errors),
    )


def gateway_table(outcome: Outcome) -> str:
    """One line a gateway, the direct line last, and a line for everyone who could not be measured."""
    text = table(_HEADER, [_cells(row) for row in (*outcome.rows, outcome.direct)])
    absent = [f"{name}: not measured: {reason}" for name, reason in outcome.not_measured.items()]
    if outcome.others_cpu_ratio > _QUIET_RATIO:
        absent.append(
            f"other processes took {outcome.others_cpu_ratio:.0%} of the machine: +p99 includes waiting for them"
        )
    return "\n".join([text, *absent])


def machine_line(machine: Mapping[str, str | int]) -> str:
    return "machine: " + ", ".join(f"{name} {value}" for name, value in machine.items())


def gateway_report(outcome: Outcome, machine: Mapping[str, str | int], method: str) -> dict[str, object]:
    return {
        "machine": dict(machine),
        "method": method,
        "rows": [asdict(row) for row in outcome.rows],
        "direct": asdict(outcome.direct),
        "not_measured": outcome.not_measured,
        "others_cpu_ratio": outcome.others_cpu_ratio,
    }


def write_report(file: Path, report: Mapping[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n")
