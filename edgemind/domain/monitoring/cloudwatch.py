"""Each KPI as metric math over the fleet's EMF metrics, and the alarms that follow from the catalogue's limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgemind.domain.kpi import BY_NAME, KPIS, Good, Kpi, Level, Tier
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.emf import PERIOD_S
from edgemind.domain.monitoring.promql import DRILL, NotMeasured
from edgemind.domain.monitoring.rules import bounds, shown


@dataclass(frozen=True, slots=True)
class MetricMath:
    """`metrics`: EMF metrics with the statistic that is taken of each minute; `expression` is over their names."""

    metrics: Mapping[str, str]
    expression: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """`datapoints` of the last `periods` minutes beyond `bound` set it off; it is over when there are fewer.

    `silent_is_bad`: whether no data at all is an alarm, too.
    """

    name: str
    level: Level
    text: str
    runbook: str
    math: MetricMath
    good: Good
    bound: float
    datapoints: int
    periods: int
    silent_is_bad: bool = False


def _one(name: str, statistic: str) -> MetricMath:
    return MetricMath({name: statistic}, name)


def _sums(expression: str, *names: str) -> MetricMath:
    return MetricMath(dict.fromkeys(names, "Sum"), expression)


CLOUDWATCH: Mapping[str, MetricMath | NotMeasured] = {
    "swarm_coordination_ms": _one("round_decided", "p99"),
    # Without a round in a minute it divides by zero, which CloudWatch takes as no data.
    "consensus_success_ratio": _sums("rounds_in_time / rounds", "rounds_in_time", "rounds"),
    "site_report_age_ms": _one("oldest_report", "Maximum"),
    "metro_cache_hit_ratio": _sums("1 - cloud / requests", "cloud", "requests"),
    # The worst site's: no quantile of the whole metro is worse.
    "added_latency_ms": _one("added_latency_p99", "Maximum"),
    "slo_attainment_ratio": _sums("1 - (late + failed + shed) / requests", "late", "failed", "shed", "requests"),
    "availability_ratio": _sums("1 - (failed + shed) / requests", "failed", "shed", "requests"),
    "recovery_time_min": DRILL,
    "recovery_point_min": DRILL,
    "spend_ratio": NotMeasured("AWS Budgets, in the governance stack, tells it at the same limits"),
}
_STATES: Mapping[str, tuple[MetricMath, Good, float]] = {
    "store_unreachable": (_one("store_up", "Minimum"), Good.ABOVE, 1.0),
    "telemetry_drops": (_one("telemetry_dropped", "Sum"), Good.BELOW, 0.0),
}
"""What conditions are seen by: beyond the bound is bad."""


def alarms(tier: Tier) -> list[Alarm]:
    return [*_kpi_alarms(tier), *_state_alarms()]


def _kpi_alarms(tier: Tier) -> Iterator[Alarm]:
    for kpi in KPIS:
        math = CLOUDWATCH[kpi.name]
        if isinstance(math, MetricMath):
            for level, bound in bounds(kpi, tier):
                yield _kpi_alarm(kpi, math, level, bound)


def _kpi_alarm(kpi: Kpi, math: MetricMath, level: Level, bound: float) -> Alarm:
    side = "above" if kpi.good is Good.BELOW else "below"
    text = f"{kpi.title} is {side} {shown(bound, kpi.unit)}. {kpi.definition}"
    silent = kpi.name == "site_report_age_ms"
    times = _periods(kpi.dwell_s, kpi.recovery_s)
    return Alarm(kpi.name, level, text, kpi.runbook, math, kpi.good, bound, *times, silent)


def _state_alarms() -> Iterator[Alarm]:
    for one in CONDITIONS:
        if one.name in _STATES:
            math, good, bound = _STATES[one.name]
            times = _periods(one.dwell_s, one.recovery_s)
            yield Alarm(one.name, one.level, one.text, one.runbook, math, good, bound, *times)


def _periods(dwell_s: int, recovery_s: int) -> tuple[int, int]:
    """Datapoints and periods: so many bad minutes set it off, and so many good ones after the last end it.

    With m of the last n minutes bad it is on, so that after m in a row it is over n - m + 1 minutes later.
    """
    dwell, recovery = (max(1, -(-seconds // PERIOD_S)) for seconds in (dwell_s, recovery_s))
    return dwell, dwell + recovery - 1


def limit_lines(name: str, tier: Tier) -> list[tuple[Level, float]]:
    """What a chart of the KPI shows beside its values."""
    return list(bounds(BY_NAME[name], tier))
