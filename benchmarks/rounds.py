"""Interleaved rounds: every phase runs for every contender in turn, so that a noisy moment hits them alike."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import quantiles

from benchmarks.accounting import cpu_ns, rss_mb
from benchmarks.contenders import Contender
from benchmarks.load import LoadResult, closed_loop, open_loop

CONNECTIONS = 16
PACED_PER_S = 200.0
WORKING_PER_S = 2000.0
STREAMS_PER_S = 40.0
_ROUND_LIMIT_S = 4.0
_WRONG_SHARE_LIMIT = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How much one round asks of each contender.

    `plain` and `streams` run as fast as the contender goes, `working` at 2000 and `paced` at 200 requests/s,
    `first_bytes` at 40 streams/s.
    """

    rounds: int
    plain: int
    streams: int
    working: int
    paced: int
    first_bytes: int
    seed: int = 1
    settle_s: float = 0.0
    """How long a gateway's CPU is watched on after a phase: for what it does about its requests later."""


def plan_for(requests: int, rounds: int) -> Plan:
    """Split `requests` plain ones per contender over the rounds and give the other phases their share of the time."""
    each = max(20, requests // rounds)
    return Plan(
        rounds,
        plain=each,
        streams=max(10, each // 10),
        working=max(20, each // 2),
        paced=max(20, each // 10),
        first_bytes=max(10, each // 50),
    )


@dataclass(slots=True)
class RoundSample:
    """One contender in one round. CPU in microseconds per answered request, times in microseconds; None: not taken."""

    cpu_us: float | None = None
    sse_cpu_us: float | None = None
    working_cpu_us: float | None = None
    paced_cpu_us: float | None = None
    requests_per_s: float | None = None
    streams_per_s: float | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    first_body_us: float | None = None


@dataclass(slots=True)
class Record:
    """Everything measured of one contender. `failure` ends its measuring and becomes its row."""

    contender: Contender
    samples: list[RoundSample] = field(default_factory=list)
    answered: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    rss_mb: float | None = None
    failure: str | None = None


Phase = Callable[[Record, Plan, int], None]


class WrongAnswersError(Exception):
    """A benchmark of error pages is worthless."""


def _count(record: Record, result: LoadResult) -> LoadResult:
    record.answered += result.answered()
    record.errors += result.errors
    if result.errors.total() > _WRONG_SHARE_LIMIT * result.finished():
        reasons = ", ".join(f"{count} x {reason}" for reason, count in result.errors.most_common(2))
        raise WrongAnswersError(f"{result.errors.total()} of {result.finished()} answers were wrong ({reasons})")
    return result


def _cpu_us_per_answer(
    contender: Contender, run: Callable[[], LoadResult], settle_s: float
) -> tuple[LoadResult, float | None]:
    if contender.pid is None:
        return run(), None
    before_ns = cpu_ns(contender.pid)
    result = run()
    time.sleep(settle_s)
    used_ns = cpu_ns(contender.pid) - before_ns
    return result, used_ns / 1000 / result.answered() if result.answered() else None


def _plain(record: Record, plan: Plan, number: int) -> None:
    contender, sample = record.contender, record.samples[-1]
    result, sample.cpu_us = _cpu_us_per_answer(
        contender,
        lambda: closed_loop(contender.address, contender.plain, CONNECTIONS, plan.plain, _ROUND_LIMIT_S),
        plan.settle_s,
    )
    sample.requests_per_s = _count(record, result).rate_per_s()


def _streamed(record: Record, plan: Plan, number: int) -> None:
    contender, sample = record.contender, record.samples[-1]
    result, sample.sse_cpu_us = _cpu_us_per_answer(
        contender,
        lambda: closed_loop(contender.address, contender.streamed, CONNECTIONS, plan.streams, _ROUND_LIMIT_S),
        plan.settle_s,
    )
    sample.streams_per_s = _count(record, result).rate_per_s()


def _working(record: Record, plan: Plan, number: int) -> None:
    """CPU alone, at a load that leaves the core some rest: a saturated gateway serves requests by the batch."""
    contender, sample = record.contender, record.samples[-1]
    if (sample.requests_per_s or 0.0) < 1.25 * WORKING_PER_S:
        return
    rng = Random(plan.seed + number)
    result, sample.working_cpu_us = _cpu_us_per_answer(
        contender,
        lambda: open_loop(contender.address, contender.plain, WORKING_PER_S, plan.working, rng, CONNECTIONS),
        plan.settle_s,
    )
    _count(record, result)


def _paced(record: Record, plan: Plan, number: int) -> None:
    """Skipped for a contender that cannot keep up: its queue would be measured, not its latency."""
    contender, sample = record.contender, record.samples[-1]
    if (sample.requests_per_s or 0.0) < 1.25 * PACED_PER_S:
        return
    # One seed for all: every contender of a round gets the same arrivals.
    rng = Random(plan.seed + number)
    result, sample.paced_cpu_us = _cpu_us_per_answer(
        contender,
        lambda: open_loop(contender.address, contender.plain, PACED_PER_S, plan.paced, rng, CONNECTIONS),
        plan.settle_s,
    )
    latencies_us = [ns / 1000 for ns in _count(record, result).latency_ns]
    cuts = quantiles(latencies_us, n=100, method="inclusive")
    sample.p50_us, sample.p99_us = cuts[49], cuts[98]


def _first_byte(record: Record, plan: Plan, number: int) -> None:
    contender, sample = record.contender, record.samples[-1]
    if (sample.streams_per_s or 0.0) < 1.25 * STREAMS_PER_S:
        return
    rng = Random(plan.seed + number)
    result = open_loop(contender.address, contender.streamed, STREAMS_PER_S, plan.first_bytes, rng, CONNECTIONS)
    first_us = sorted(ns / 1000 for ns in _count(record, result).first_body_ns)
    sample.first_body_us = first_us[len(first_us) // 2]


PHASES: Sequence[tuple[str, Phase]] = (
    ("plain", _plain),
    ("streams", _streamed),
    ("working", _working),
    ("paced", _paced),
    ("first byte", _first_byte),
)


def _guarded(phase: Phase, record: Record, plan: Plan, number: int) -> None:
    try:
        phase(record, plan, number)
    except (ProcessLookupError, ConnectionError, TimeoutError) as gone:
        record.failure = f"it stopped answering in round {number + 1}: {gone}"
    except WrongAnswersError as wrong:
        record.failure = f"round {number + 1}: {wrong}"


def _warm(record: Record, plan: Plan) -> None:
    contender = record.contender
    closed_loop(contender.address, contender.plain, CONNECTIONS, min(1000, plan.plain), 2.0)
    closed_loop(contender.address, contender.streamed, CONNECTIONS, min(50, plan.streams), 2.0)


def run_rounds(contenders: Sequence[Contender], plan: Plan, progress: Callable[[str], None]) -> list[Record]:
    """Warm every contender up, then measure A B C, A B C, ... phase by phase."""
    records = [Record(contender) for contender in contenders]
    for record in records:
        _guarded(lambda record, plan, _: _warm(record, plan), record, plan, -1)
    for number in range(plan.rounds):
        progress(f"round {number + 1} of {plan.rounds}")
        for record in records:
            record.samples.append(RoundSample())
        for _, phase in PHASES:
            for record in records:
                if record.failure is None:
                    _guarded(phase, record, plan, number)
    for record in records:
        if record.contender.pid is not None and record.failure is None:
            record.rss_mb = rss_mb(record.contender.pid)
    return records
