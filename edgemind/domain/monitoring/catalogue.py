"""The KPI catalogue as docs/kpis.md shows it."""

from collections.abc import Iterator

from edgemind.domain.kpi import KPIS, Kpi, Tier
from edgemind.domain.monitoring.cloudwatch import CLOUDWATCH, MetricMath
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.promql import PROMQL, NotMeasured
from edgemind.domain.monitoring.rules import duration, shown

START = "<!-- catalogue: generated, `edgemind kpi docs --write docs` renews it -->"
END = "<!-- end of catalogue -->"


def catalogue_tables() -> str:
    """In Markdown: limits by tier, how each is measured, and what is alerted beside the KPIs."""
    return "\n".join([*_limits(), "", *_measured(), "", *_states()])


def with_catalogue(page: str) -> str:
    """The page with its tables renewed; ValueError if it has no place for them."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page needs the lines {START} and {END}")
    return f"{before}{START}\n\n{catalogue_tables()}\n\n{END}{after}"


def _limits() -> Iterator[str]:
    yield "| KPI | what is measured | should be | target | warning | critical | alerted after | over after |"
    yield "|---|---|---|---|---|---|---|---|"
    for kpi in KPIS:
        target = _by_tier(kpi, "target")
        levels = _by_tier(kpi, "warning"), _by_tier(kpi, "critical")
        times = duration(kpi.dwell_s), duration(kpi.recovery_s)
        cells = (f"`{kpi.name}`", kpi.about, kpi.good.value, target, *levels, *times)
        yield f"| {' | '.join(cells)} |"


def _by_tier(kpi: Kpi, level: str) -> str:
    values = [getattr(kpi.limits[tier], level) for tier in Tier]
    told = ["-" if value is None else shown(value, kpi.unit) for value in values]
    if len(set(told)) == 1:
        return told[0]
    return ", ".join(f"{text} {tier.value}" for text, tier in zip(told, Tier, strict=True))


def _measured() -> Iterator[str]:
    yield "| KPI | Prometheus | CloudWatch |"
    yield "|---|---|---|"
    for kpi in KPIS:
        yield f"| `{kpi.name}` | {_query(PROMQL[kpi.name])} | {_query(CLOUDWATCH[kpi.name])} |"


def _query(query: str | MetricMath | NotMeasured) -> str:
    match query:
        case NotMeasured(why):
            return f"not measured: {why}"
        case MetricMath(metrics, expression):
            taken = ", ".join(f"{name} {statistic}" for name, statistic in metrics.items())
            return f"`{expression}` of {taken}"
    # A bar would end the table's cell.
    return f"`{query}`".replace("|", "\\|")


def _states() -> Iterator[str]:
    yield "| state | level | what it means | alerted after |"
    yield "|---|---|---|---|"
    for one in CONDITIONS:
        yield f"| `{one.name}` | {one.level.value} | {one.text} | {duration(one.dwell_s)} |"
