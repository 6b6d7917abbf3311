"""Each KPI as metric math over the fleet's EMF metrics, and the alarms that follow from the catalogue's limits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from edgemind.domain.kpi import KPIS, REQUESTS_WINDOW_S, Good, Kpi, Level, OfRequests, Tier
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.emf import PERIOD_S
from edgemind.domain.monitoring.promql import DRILL, NotMeasured
from edgemind.domain.monitoring.rules import bounds, shown


@dataclass(frozen=True, slots=True)
class MetricMath:
    """`metrics`: EMF metrics with the statistic that is taken of each period; `expression` is over their names."""

    metrics: Mapping[str, str]
    expression: str
    period_s: int = PERIOD_S


@dataclass(frozen=True, slots=True)
class Alarm:
    """`datapoints` of the last `periods` of the metric math beyond `bound` set it off; it is over when there are fewer.

    CloudWatch looks every minute, at what the period before that minute adds up to. `silent_is_bad`: whether no data at
    all is an alarm, too.
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


def _ratio(of: OfRequests) -> MetricMath:
    among = f"({_counted(of)})" if of.left_out else _counted(of)
    expression = f"1 - ({' + '.join(of.bad)}) / {among}"
    return MetricMath(dict.fromkeys((*of.bad, *of.left_out, "requests"), "Sum"), expression, REQUESTS_WINDOW_S)


def _counted(of: OfRequests) -> str:
    return " - ".join(("requests", *of.left_out))


_MEASURED: Mapping[str, MetricMath | NotMeasured] = {
    "swarm_coordination_ms": _one("round_decided", "p99"),
    # Without a round in a minute it divides by zero, which CloudWatch takes as no data.
    "consensus_success_ratio": _sums("rounds_in_time / rounds", "rounds_in_time", "rounds"),
    "site_report_age_ms": _one("oldest_report", "Maximum"),
    # The worst site's: no quantile of the whole metro is worse.
    "added_latency_ms": _one("added_latency_p99", "Maximum"),
    "recovery_time_min": DRILL,
    "recovery_point_min": DRILL,
    "spend_ratio": NotMeasured("AWS Budgets, in the governance stack, tells it at the same limits"),
    **{kpi.name: _ratio(kpi.of_requests) for kpi in KPIS if kpi.of_requests is not None},
}
CLOUDWATCH: Mapping[str, MetricMath | NotMeasured] = {kpi.name: _MEASURED[kpi.name] for kpi in KPIS}
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
    text = f"{kpi.title} is {side} {shown(bound, kpi.unit)}. {kpi.about}"
    of = kpi.of_requests
    if of is not None:
        math = replace(math, expression=f"IF({_counted(of)} >= {of.least}, {math.expression}, 1)")
    if kpi.is_age:
        # Who looks once a minute sees how long it has been too old by how old it is.
        text, bound = f"{text} It has been so for {kpi.dwell_s} s.", bound + 1000.0 * kpi.dwell_s
    times = _periods(kpi.dwell_s, kpi.recovery_s, math.period_s)
    return Alarm(kpi.name, level, text, kpi.runbook, math, kpi.good, bound, *times, silent_is_bad=kpi.is_age)


def _state_alarms() -> Iterator[Alarm]:
    for one in CONDITIONS:
        if one.name in _STATES:
            math, good, bound = _STATES[one.name]
            times = _periods(one.dwell_s, one.recovery_s, math.period_s)
            yield Alarm(one.name, one.level, one.text, one.runbook, math, good, bound, *times)


def _periods(dwell_s: int, recovery_s: int, period_s: int) -> tuple[int, int]:
    """Datapoints and periods: so many bad ones set it off, and so many good ones after the last end it.

    With m of the last n bad it is on, so that after m in a row it is over n - m + 1 later.
    """
    dwell, recovery = (max(1, -(-seconds // period_s)) for seconds in (dwell_s, recovery_s))
    return dwell, dwell + recovery - 1
