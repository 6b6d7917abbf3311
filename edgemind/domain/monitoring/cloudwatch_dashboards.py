"""Three dashboards for CloudWatch over the fleet's EMF metrics, as the documents that CloudWatch keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.domain.kpi import BY_NAME, KPIS, Kpi, Tier
from edgemind.domain.monitoring.cloudwatch import CLOUDWATCH, MetricMath
from edgemind.domain.monitoring.emf import METRO, NAMESPACE, PERIOD_S, SITE
from edgemind.domain.monitoring.rules import bounds, shown

Widget = dict[str, Any]
WIDTH = 24


@dataclass(frozen=True, slots=True)
class Place:
    """Whose metrics: one metro's, in the region that they are kept in."""

    metro: str
    region: str
    tier: Tier


def dashboards(place: Place) -> Mapping[str, dict[str, Any]]:
    """By name: executive, operations, developer."""
    return {
        "executive": {"widgets": _rows(_executive(place))},
        "operations": {"widgets": _rows(_operations(place))},
        "developer": {"widgets": _rows(_developer(place))},
    }


Sized = Sequence[tuple[Widget, int, int]]


def _executive(place: Place) -> Sized:
    tiles = [(_kpi(place, kpi, math, "singleValue"), 6, 4) for kpi, math in _measured()]
    charts = [_kpi(place, BY_NAME[name], CLOUDWATCH[name]) for name in ("slo_attainment_ratio", "availability_ratio")]
    return [*tiles, (_sums(place, "Requests", "requests"), 24, 6), *((widget, 12, 6) for widget in charts)]


def _operations(place: Place) -> Sized:
    watched = ("site_report_age_ms", "added_latency_ms", "swarm_coordination_ms")
    charts = [_kpi(place, BY_NAME[name], CLOUDWATCH[name]) for name in watched]
    sites = [
        _by_site(place, "Requests by site", "requests", "Sum"),
        _by_site(place, "Shed by site", "shed", "Sum"),
        _by_site(place, "Added latency by site, p99", "added_latency_p99", "Maximum"),
    ]
    return [(widget, 12, 6) for widget in (*charts, *sites, _chart(place, "Store answers", {"store_up": "Minimum"}))]


def _developer(place: Place) -> Sized:
    rounds = _metrics(place, {"round_decided": "p50"}, "p50") + _metrics(place, {"round_decided": "p99"}, "p99")
    charts = [
        _sums(place, "What became of requests", "late", "failed", "shed", "cloud"),
        _sums(place, "Rounds", "rounds", "rounds_in_time"),
        _widget(place, "Rounds decided, ms", rounds),
        _sums(place, "Telemetry that was dropped", "telemetry_dropped"),
    ]
    return [(widget, 12, 6) for widget in charts]


def _measured() -> list[tuple[Kpi, MetricMath]]:
    return [(kpi, math) for kpi in KPIS if isinstance(math := CLOUDWATCH[kpi.name], MetricMath)]


def _kpi(place: Place, kpi: Kpi, math: object, view: str = "timeSeries") -> Widget:
    assert isinstance(math, MetricMath)
    value: list[Any] = []
    if math.expression not in math.metrics:
        value = [[{"expression": math.expression, "id": "value", "label": kpi.title}]]
    hidden = {"visible": False} if value else {"label": kpi.title}
    widget = _widget(place, kpi.title, [*value, *_metrics(place, math.metrics, **hidden)], view, math.period_s)
    if view == "timeSeries":
        lines = bounds(kpi, place.tier)
        horizontal = [{"label": f"{level.value} {shown(bound, kpi.unit)}", "value": bound} for level, bound in lines]
        widget["properties"]["annotations"] = {"horizontal": horizontal}
    return widget


def _sums(place: Place, title: str, *names: str) -> Widget:
    return _chart(place, title, dict.fromkeys(names, "Sum"))


def _chart(place: Place, title: str, metrics: Mapping[str, str]) -> Widget:
    return _widget(place, title, _metrics(place, metrics))


def _metrics(place: Place, metrics: Mapping[str, str], label: str | None = None, **more: Any) -> list[Any]:
    options = more if label is None else {"label": label}
    return [
        [NAMESPACE, name, METRO, place.metro, {"id": name if label is None else label, "stat": stat, **options}]
        for name, stat in metrics.items()
    ]


def _by_site(place: Place, title: str, name: str, stat: str) -> Widget:
    """Whatever sites there are: one that joins appears by itself."""
    search = f'{{{NAMESPACE},{METRO},{SITE}}} MetricName="{name}" {METRO}="{place.metro}"'
    expression = {"expression": f"SEARCH('{search}', '{stat}', {PERIOD_S})", "id": "sites"}
    return _widget(place, title, [[expression]])


def _widget(place: Place, title: str, metrics: list[Any], view: str = "timeSeries", period_s: int = PERIOD_S) -> Widget:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": place.region,
            "view": view,
            "stacked": False,
            "period": period_s,
            "metrics": metrics,
        },
    }


def _rows(widgets: Sized) -> list[Widget]:
    placed, x, y, deepest = [], 0, 0, 0
    for widget, width, height in widgets:
        if x + width > WIDTH:
            x, y, deepest = 0, y + deepest, 0
        placed.append({"x": x, "y": y, "width": width, "height": height, **widget})
        x, deepest = x + width, max(deepest, height)
    return placed
