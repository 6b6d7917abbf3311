"""From samples to the rows of the report: medians over rounds, ratios within a round."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.rounds import Record, RoundSample

Pick = Callable[[RoundSample], float | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One gateway. None: not taken.

    CPU is per request: `cpu_us` saturated, `working_cpu_us` at 2000/s, `paced_cpu_us` at 200/s. `added_*` and
    `first_byte_delay_us` are relative to asking the mock directly.
    """

    name: str
    cpu_us: float | None
    ratio_to_envoy: float | None
    sse_cpu_us: float | None
    sse_ratio_to_envoy: float | None
    working_cpu_us: float | None
    working_ratio_to_envoy: float | None
    paced_cpu_us: float | None
    paced_ratio_to_envoy: float | None
    added_p50_us: float | None
    added_p99_us: float | None
    first_byte_delay_us: float | None
    rss_mb: float | None
    requests_per_s: float | None
    requests: int
    errors: int


def _median(samples: Sequence[RoundSample], pick: Pick) -> float | None:
    values = [value for sample in samples if (value := pick(sample)) is not None]
    return median(values) if values else None


def _paired(
    samples: Sequence[RoundSample],
    reference: Sequence[RoundSample],
    pick: Pick,
    pick_reference: Pick,
    combine: Callable[[float, float], float],
) -> float | None:
    """The median over rounds of `combine(sample, reference)`: both from the same round, so that drift cancels."""
    values = [
        combine(value, base)
        for sample, other in zip(samples, reference, strict=False)
        if (value := pick(sample)) is not None and (base := pick_reference(other)) is not None
    ]
    return median(values) if values else None


def _ratio(value: float, base: float) -> float:
    return value / base


def _difference(value: float, base: float) -> float:
    return value - base


def row_of(record: Record, envoy: Sequence[RoundSample], direct: Sequence[RoundSample]) -> Row:
    """The added p99 is this gateway's p99 less the direct *median*: an upper bound, since no request is timed twice."""
    taken = record.samples

    def to_envoy(pick: Pick) -> float | None:
        return _paired(taken, envoy, pick, pick, _ratio)

    return Row(
        name=record.contender.name,
        cpu_us=_median(taken, lambda s: s.cpu_us),
        ratio_to_envoy=to_envoy(lambda s: s.cpu_us),
        sse_cpu_us=_median(taken, lambda s: s.sse_cpu_us),
        sse_ratio_to_envoy=to_envoy(lambda s: s.sse_cpu_us),
        working_cpu_us=_median(taken, lambda s: s.working_cpu_us),
        working_ratio_to_envoy=to_envoy(lambda s: s.working_cpu_us),
        paced_cpu_us=_median(taken, lambda s: s.paced_cpu_us),
        paced_ratio_to_envoy=to_envoy(lambda s: s.paced_cpu_us),
        added_p50_us=_paired(taken, direct, lambda s: s.p50_us, lambda s: s.p50_us, _difference),
        added_p99_us=_paired(taken, direct, lambda s: s.p99_us, lambda s: s.p50_us, _difference),
        first_byte_delay_us=_paired(taken, direct, lambda s: s.first_body_us, lambda s: s.first_body_us, _difference),
        rss_mb=record.rss_mb,
        requests_per_s=_median(taken, lambda s: s.requests_per_s),
        requests=record.answered,
        errors=record.errors.total(),
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`direct` is the row of the mock asked without a gateway, `not_measured` maps a name to its reason.

    `others_cpu_ratio` is the share of the machine that other processes took meanwhile, in [0, 1].
    """

    rows: tuple[Row, ...]
    direct: Row
    not_measured: dict[str, str]
    others_cpu_ratio: float


def outcome_of(records: Sequence[Record], not_started: dict[str, str], others_cpu_ratio: float) -> Outcome:
    """Rows in the order measured. Without Envoy in the run its ratios are None."""
    by_name = {record.contender.name: record for record in records}
    direct = by_name["direct"]
    envoy = by_name["envoy"].samples if "envoy" in by_name else []
    rows = [
        row_of(record, envoy, direct.samples) for record in records if record is not direct and record.failure is None
    ]
    failed = {record.contender.name: record.failure for record in records if record.failure is not None}
    return Outcome(tuple(rows), row_of(direct, [], direct.samples), {**not_started, **failed}, others_cpu_ratio)
