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


def counted(metric: Metric, *, by: str = METRO, window: str = WINDOW, where: str = "") -> str:
    """Per second, added up over the processes of each `by`. `where`: label matchers, separated by commas."""
    return f"sum by ({by}) (rate({metric.series[0]}{matching(where)}[{window}]))"


def quantile_ms(ratio: float, metric: Metric, *, by: str = METRO, window: str = WINDOW, where: str = "") -> str:
    return f"1000 * histogram_quantile({ratio:g}, {counted(metric, by=f'{by}, le', window=window, where=where)})"


def matching(where: str) -> str:
    return f"{{{where}}}" if where else ""


def gateway_metric(name: str) -> Metric:
    return names.METRICS[f"edgemind_gateway_{name}"]


def _share_without(where: str, *bad: str) -> str:
    """1 less the share of `bad` requests among all."""
    lost = " + ".join(counted(gateway_metric(name), where=where) for name in bad)
    return f"1 - ({lost}) / {counted(gateway_metric('requests'), where=where)}"


def _in_time(where: str) -> str:
    """Rounds that timed out count, those left because the store was out of reach do not."""
    within, left_out = f'le="{TARGET_MS / 1000.0:g}"', 'outcome!="left"'
    decided = counted(names.DECIDED, window=ROUNDS_WINDOW, where=_both(where, within))
    ended = counted(names.ROUNDS, window=ROUNDS_WINDOW, where=_both(where, left_out))
    return f"{decided} / {ended}"


def _oldest_report_ms(where: str) -> str:
    """By whoever heard last of it: a site that only some cannot reach is no site that is down."""
    newest = f"min by ({METRO}, site) ({names.REPORT_AGE.name}{matching(where)})"
    return f"1000 * max by ({METRO}) ({newest})"


def _both(*where: str) -> str:
    return ", ".join(one for one in where if one)


DRILL = NotMeasured("it comes from a drill: no running fleet loses a site to measure it")


def kpi_queries(where: str = "") -> Mapping[str, str | NotMeasured]:
    """By the KPI's name; `where` chooses among the series, such as one metro's."""
    return {
        "swarm_coordination_ms": quantile_ms(0.99, names.DECIDED, window=ROUNDS_WINDOW, where=where),
        "consensus_success_ratio": _in_time(where),
        "site_report_age_ms": _oldest_report_ms(where),
        "metro_cache_hit_ratio": _share_without(where, "cloud"),
        "added_latency_ms": quantile_ms(0.99, gateway_metric("added_latency_seconds"), where=where),
        "slo_attainment_ratio": _share_without(where, "late", "failed", "shed"),
        "availability_ratio": _share_without(where, "failed", "shed"),
        "recovery_time_min": DRILL,
        "recovery_point_min": DRILL,
        "spend_ratio": NotMeasured("AWS tells spend by the day to AWS Budgets, which the governance stack sets up"),
    }


PROMQL = kpi_queries()
