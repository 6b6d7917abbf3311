"""Three dashboards for Grafana over Prometheus: for who pays, who operates, and who develops."""

from collections.abc import Mapping, Sequence
from typing import Any

from edgemind.domain.kpi import BY_NAME, KPIS, Tier
from edgemind.domain.monitoring import metrics as names
from edgemind.domain.monitoring.grafana_panels import SOURCE, Document, Query, chart, kpi_chart, rows, tile
from edgemind.domain.monitoring.metrics import AT, METRO, Metric
from edgemind.domain.monitoring.promql import ROUNDS_WINDOW, counted, gateway_metric, kpi_queries, quantile_ms

SCHEMA_VERSION = 39
"""Of Grafana 11; later ones migrate it when they load it."""
CHOSEN = f'{METRO}=~"$metro"'
"""The metros that the reader of a dashboard chose."""
_KPIS = kpi_queries(CHOSEN)
_BY_SITE, _AT = f"{METRO}, {AT}", f"{{{{{AT}}}}}"
_RATIOS = (0.5, 0.99)


def dashboards(tier: Tier) -> Mapping[str, Document]:
    """By name: executive, operations, developer."""
    return {
        "executive": _dashboard("executive", tier, _executive(tier)),
        "operations": _dashboard("operations", tier, _operations(tier)),
        "developer": _dashboard("developer", tier, _developer(tier)),
    }


def queries_of(dashboard: Document) -> list[str]:
    """Every query of a dashboard, with its variable at its widest."""
    return [target["expr"].replace("$metro", ".*") for panel in dashboard["panels"] for target in panel["targets"]]


Placed = Sequence[tuple[Document, int, int]]


def _executive(tier: Tier) -> Placed:
    measured = [(kpi, query) for kpi in KPIS if isinstance(query := _KPIS[kpi.name], str)]
    tiles = [(tile(kpi, tier, Query(query, "{{metro}}")), 6, 5) for kpi, query in measured]
    slo, available = (_kpi_over_time(tier, name) for name in ("slo_attainment_ratio", "availability_ratio"))
    return [*tiles, (_per_s("Requests", "requests", METRO), 24, 8), (slo, 12, 8), (available, 12, 8)]


def _operations(tier: Tier) -> Placed:
    age = f"min by ({METRO}, site) ({names.REPORT_AGE.name}{{{CHOSEN}}}) * 1000"
    lost = [Query(_counted(name, by=_BY_SITE), f"{name} {_AT}") for name in ("shed", "failed")]
    added = quantile_ms(0.99, gateway_metric("added_latency_seconds"), by=_BY_SITE, where=CHOSEN)
    in_flight, ejected = gateway_metric("in_flight"), gateway_metric("ejected")
    panels = [
        kpi_chart(BY_NAME["site_report_age_ms"], tier, [Query(age, "{{site}}")]),
        _gauge("Sites that answer", names.SITE_UP, f"min by ({METRO}, site)", "{{site}}"),
        _per_s("Requests by ingress", "requests", _BY_SITE),
        chart("Shed and failed by ingress", "reqps", lost),
        kpi_chart(BY_NAME["added_latency_ms"], tier, [Query(added, _AT)]),
        _gauge("Under way", in_flight, f"sum by ({METRO}, site)", "{{site}}"),
        _increase("Rounds by outcome", names.ROUNDS, "outcome"),
        _kpi_over_time(tier, "swarm_coordination_ms"),
        _gauge("Upstreams ejected", ejected, f"sum by ({METRO}, site, model)", "{{site}} {{model}}"),
        _gauge("Store answers", names.STORE_UP, f"min by ({_BY_SITE})", _AT),
    ]
    return [(panel, 12, 8) for panel in panels]


def _developer(tier: Tier) -> Placed:
    first = [
        Query(quantile_ms(ratio, gateway_metric(name), where=CHOSEN), f"{about} p{ratio * 100:g}")
        for name, about in (("first_byte_seconds", "first byte"), ("added_latency_seconds", "added"))
        for ratio in _RATIOS
    ]
    odd = [Query(_counted(name), name) for name in ("retried", "cut", "hung_up", "late", "refused")]
    decided = [
        Query(quantile_ms(ratio, names.DECIDED, window=ROUNDS_WINDOW, where=CHOSEN), f"p{ratio * 100:g}")
        for ratio in _RATIOS
    ]
    lost = Query(counted(names.MESSAGES_LOST, by=_BY_SITE, where=CHOSEN), _AT)
    worst = f"max by ({_BY_SITE})"
    panels = [
        chart("Time to the first byte", "ms", first),
        chart("Requests out of the ordinary", "reqps", odd),
        _per_s("Decisions by reason", "routed_by_reason", f"{METRO}, reason"),
        _per_s("Requests by model", "routed_by_model", f"{METRO}, model"),
        chart("Rounds decided", "ms", decided),
        _increase("Effects by state", names.EFFECTS, "state"),
        _gauge("Store calls", names.STORE_SECONDS, worst, _AT, "s"),
        chart("Messages of rounds lost", "cps", [lost]),
        _gauge("Age of the table", gateway_metric("table_age_seconds"), worst, _AT, "s"),
        _gauge("Tasks of gateway workers", gateway_metric("tasks"), worst, _AT),
    ]
    return [(panel, 12, 8) for panel in panels]


def _counted(name: str, by: str = METRO) -> str:
    return counted(gateway_metric(name), by=by, where=CHOSEN)


def _kpi_over_time(tier: Tier, name: str) -> Document:
    query = _KPIS[name]
    assert isinstance(query, str)
    return kpi_chart(BY_NAME[name], tier, [Query(query, "{{metro}}")])


def _per_s(title: str, name: str, by: str) -> Document:
    return chart(title, "reqps", [Query(_counted(name, by), f"{{{{{by.rsplit(', ', maxsplit=1)[-1]}}}}}")])


def _increase(title: str, metric: Metric, label: str) -> Document:
    query = f"sum by ({METRO}, {label}) (increase({metric.series[0]}{{{CHOSEN}}}[{ROUNDS_WINDOW}]))"
    return chart(title, "short", [Query(query, f"{{{{{label}}}}}")], f"In {ROUNDS_WINDOW}.")


def _gauge(title: str, metric: Metric, over: str, legend: str, unit: str = "short") -> Document:
    return chart(title, unit, [Query(f"{over} ({metric.name}{{{CHOSEN}}})", legend)], metric.text)


def _dashboard(name: str, tier: Tier, panels: Placed) -> dict[str, Any]:
    source = {"name": "source", "type": "datasource", "label": "Prometheus", "query": "prometheus"}
    metro = {
        "name": "metro",
        "type": "query",
        "label": "Metro",
        "datasource": SOURCE,
        "query": f"label_values({names.REPORT_AGE.name}, {METRO})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        # Series without a metro, too.
        "allValue": ".*",
    }
    return {
        "uid": f"edgemind-{name}-{tier.value}",
        "title": f"EdgeMind {name} ({tier.value})",
        "description": "Generated by `edgemind kpi grafana` from the KPI catalogue: change it there.",
        "tags": ["edgemind", tier.value],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "timezone": "browser",
        "templating": {"list": [source, metro]},
        "annotations": {"list": []},
        "links": [],
        "panels": rows(panels),
    }
