"""What Grafana's dashboards consist of: tiles, charts and tables over Prometheus, as Grafana's JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.domain.kpi import Good, Kpi, Tier

Document = dict[str, Any]
WIDTH = 24
"""Columns of Grafana's grid."""
SOURCE = {"type": "prometheus", "uid": "${source}"}
UNITS = {"ms": "ms", "ratio": "percentunit", "s": "s", "min": "m"}
FINE, INFO, WARNING, CRITICAL = "green", "blue", "orange", "red"
"""Never the only sign: each tile shows its number, and each chart its limit as a line."""


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` is Grafana's template of a series' name, such as `{{at}}`."""

    promql: str
    legend: str = ""


def tile(kpi: Kpi, tier: Tier, query: Query) -> Document:
    """A KPI's value with its trend, coloured by its limits."""
    panel = _panel("stat", kpi.title, [query], kpi.about)
    panel["fieldConfig"]["defaults"] = {"unit": UNITS[kpi.unit], "decimals": 2, "thresholds": _thresholds(kpi, tier)}
    panel["options"] = {
        "colorMode": "value",
        "graphMode": "area",
        "textMode": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel


def kpi_chart(kpi: Kpi, tier: Tier, queries: Sequence[Query]) -> Document:
    """A KPI over time, with its limits as lines."""
    panel = chart(kpi.title, UNITS[kpi.unit], queries, kpi.about)
    defaults = panel["fieldConfig"]["defaults"]
    defaults["thresholds"] = _thresholds(kpi, tier)
    defaults["custom"]["thresholdsStyle"] = {"mode": "dashed"}
    return panel


def chart(title: str, unit: str, queries: Sequence[Query], about: str = "") -> Document:
    panel = _panel("timeseries", title, queries, about)
    panel["fieldConfig"]["defaults"] = {"unit": unit, "custom": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0}}
    panel["options"] = {
        "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"], "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def rows(panels: Iterable[tuple[Document, int, int]]) -> list[Document]:
    """Panels with ids and places, from left to right and from top to bottom; each with its width and height."""
    placed, x, y, deepest = [], 0, 0, 0
    for number, (panel, width, height) in enumerate(panels, 1):
        if x + width > WIDTH:
            x, y, deepest = 0, y + deepest, 0
        placed.append({"id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **panel})
        x, deepest = x + width, max(deepest, height)
    return placed


def _panel(kind: str, title: str, queries: Sequence[Query], about: str) -> Document:
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": query.promql,
            "legendFormat": query.legend or "__auto",
            "range": True,
        }
        for number, query in enumerate(queries)
    ]
    about_it = {"description": about} if about else {}
    return {
        "type": kind,
        "title": title,
        **about_it,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {}, "overrides": []},
    }


def _thresholds(kpi: Kpi, tier: Tier) -> Document:
    """Grafana colours by the last step that the value reaches, so that a KPI which should be high turns them round."""
    limits = kpi.limits[tier]
    steps = [(limits.warning, WARNING), (limits.critical, CRITICAL)]
    known = [(bound, color) for bound, color in steps if bound is not None]
    if kpi.good is Good.ABOVE:
        known.reverse()
    bounds, colors = [bound for bound, _ in known], [color for _, color in known]
    colors = [FINE, *colors] if kpi.good is Good.BELOW else [*colors, FINE]
    return {
        "mode": "absolute",
        "steps": [{"color": color, "value": bound} for color, bound in zip(colors, [None, *bounds], strict=True)],
    }
