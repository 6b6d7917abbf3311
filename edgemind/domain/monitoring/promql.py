"""Each KPI as a query of Prometheus, in the KPI's own unit, one value for each metro."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgemind.domain.kpi import KPIS, REQUESTS_WINDOW_S, OfRequests
from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.metrics import METRO, Metric
from edgemind.domain.swarm.pace import TARGET_MS

WINDOW, ROUNDS_WINDOW = f"{REQUESTS_WINDOW_S // 60}m", "30m"
"""Rounds are rare: a metro in trouble decides one in half a minute, a quiet one none a day."""


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """`why` tells a person where the number comes from instead."""

    why: str


def counted(metric: Metric, *, by: str = METRO, window: str = WINDOW, where: str = "", grown: str = "rate") -> str:
    """Added up over the processes of each `by`: per second, or with `increase` in all of the window.

    `where`: label matchers, separated by commas.
    """
    return f"sum by ({by}) ({grown}({metric.series[0]}{matching(where)}[{window}]))"


def quantile_ms(ratio: float, metric: Metric, *, by: str = METRO, window: str = WINDOW, where: str = "") -> str:
    return f"1000 * histogram_quantile({ratio:g}, {counted(metric, by=f'{by}, le', window=window, where=where)})"


def matching(where: str) -> str:
    return f"{{{where}}}" if where else ""


def gateway_metric(name: str) -> Metric:
    return names.METRICS[f"edgemind_gateway_{name}"]


def _ratio(of: OfRequests, where: str) -> str:
    lost, among = (_added(names, where) for names in (of.bad, ("requests",)))
    if not of.left_out:
        return f"1 - ({lost}) / {among}"
    # One that was sent to the cloud tier and failed there is bad, and not among those.
    return f"clamp_min(1 - ({lost}) / ({among} - {_added(of.left_out, where, ' - ')}), 0)"


def _added(of: Iterable[str], where: str, sign: str = " + ") -> str:
    return sign.join(counted(gateway_metric(name), where=where) for name in of)


def enough_requests(of: OfRequests) -> str:
    """Has a value for each metro that had so many of the ratio's requests that somebody may be woken by it."""
    counts = (counted(gateway_metric(name), grown="increase") for name in ("requests", *of.left_out))
    return f"{' - '.join(counts)} >= {of.least}"


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
    found: dict[str, str | NotMeasured] = {
        "swarm_coordination_ms": quantile_ms(0.99, names.DECIDED, window=ROUNDS_WINDOW, where=where),
        "consensus_success_ratio": _in_time(where),
        "site_report_age_ms": _oldest_report_ms(where),
        "added_latency_ms": quantile_ms(0.99, gateway_metric("added_latency_seconds"), where=where),
        "recovery_time_min": DRILL,
        "recovery_point_min": DRILL,
        "spend_ratio": NotMeasured("AWS tells spend by the day to AWS Budgets, which the governance stack sets up"),
        **{kpi.name: _ratio(kpi.of_requests, where) for kpi in KPIS if kpi.of_requests is not None},
    }
    return {kpi.name: found[kpi.name] for kpi in KPIS}


PROMQL = kpi_queries()
