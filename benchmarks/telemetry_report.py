"""What a run of `bench telemetry` prints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchmarks.report import table

if TYPE_CHECKING:
    from benchmarks.telemetry import TelemetryOutcome

TELEMETRY_METHOD = (
    "five gateways on one core in front of the same mocks, phase by phase in turn; CPU = kernel accounting of the "
    "process tree per right answer until 1.3 s after the last one, so that "
    "the export is in it; x: to the gateway without telemetry in the same "
    "round; medians over rounds"
)


def telemetry_table(outcome: "TelemetryOutcome", measures: Sequence[str]) -> str:
    header = [
        "telemetry",
        *(cell for name in measures for cell in (f"{name} us", "x")),
        "RSS MB",
        "answered",
        "dropped",
        "errors",
    ]
    lines = [
        [
            row.name,
            *(cell for name in measures for cell in (_number(row.value[name], 0), _number(row.ratio[name], 2))),
            _number(row.rss_mb, 1),
            str(row.answered),
            str(row.dropped),
            str(row.errors),
        ]
        for row in outcome.rows
    ]
    absent = [f"{name}: not measured: {reason}" for name, reason in outcome.not_measured.items()]
    noise = f"other processes took {outcome.others_cpu_ratio:.0%} of the machine meanwhile"
    return "\n".join([table(header, lines), *absent, noise])


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
