"""Each KPI as a query of Prometheus, in the KPI's own unit, one value for each metro."""

from collections.abc import Mapping
from dataclasses import dataclass

from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.metrics import METRO, Metric
from edgemind.domain.swarm.pace import TARGET_MS

WINDOW, ROUNDS_WINDOW = "5m", "30m"
"""Rounds are rare: a metro in trouble decides one in half a minute, a quiet one none a day."""


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """`why` tells a person where the number comes from instead."""

    why: str


def counted(metric: Metric | str, *, by: str = METRO, window: str = WINDOW, where: str = "") -> str:
    """Per second, added up over the processes of each `by`."""
    name = metric if isinstance(metric, str) else metric.series[0]
    matching = f"{{{where}}}" if where else ""
    return f"sum by ({by}) (rate({name}{matching}[{window}]))"


def quantile_ms(ratio: float, metric: Metric, *, by: str = METRO, window: str = WINDOW) -> str:
    return f"1000 * histogram_quantile({ratio:g}, {counted(metric, by=f'{by}, le', window=window)})"


def _gateway(name: str) -> Metric:
    return names.METRICS[f"edgemind_gateway_{name}"]


def _share_without(*bad: str) -> str:
    """1 less the share of `bad` requests among all."""
    lost = " + ".join(counted(_gateway(name)) for name in bad)
    return f"1 - ({lost}) / {counted(_gateway('requests'))}"


def _in_time() -> str:
    """Rounds that timed out count, those left because the store was out of reach do not."""
    decided = counted(names.DECIDED, window=ROUNDS_WINDOW, where=f'le="{TARGET_MS / 1000.0:g}"')
    ended = counted(names.ROUNDS, window=ROUNDS_WINDOW, where='outcome!="left"')
    return f"{decided} / {ended}"


def _oldest_report_ms() -> str:
    """By whoever heard last of it: a site that only some cannot reach is no site that is down."""
    newest = f"min by ({METRO}, site) ({names.REPORT_AGE.name})"
    return f"1000 * max by ({METRO}) ({newest})"


DRILL = NotMeasured("it comes from a drill: no running fleet loses a site to measure it")
PROMQL: Mapping[str, str | NotMeasured] = {
    "swarm_coordination_ms": quantile_ms(0.99, names.DECIDED, window=ROUNDS_WINDOW),
    "consensus_success_ratio": _in_time(),
    "site_report_age_ms": _oldest_report_ms(),
    "metro_cache_hit_ratio": _share_without("cloud"),
    "added_latency_ms": quantile_ms(0.99, _gateway("added_latency_seconds")),
    "slo_attainment_ratio": _share_without("late", "failed", "shed"),
    "availability_ratio": _share_without("failed", "shed"),
    "recovery_time_min": DRILL,
    "recovery_point_min": DRILL,
    "spend_ratio": NotMeasured("AWS tells spend by the day to AWS Budgets, which the governance stack sets up"),
}
