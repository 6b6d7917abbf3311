"""Alert rules for Prometheus, from the catalogue alone, and the tests that `promtool test rules` runs on them."""

from collections.abc import Iterator
from typing import Any

from edgemind.domain.kpi import KPIS, Good, Kpi, Level, Tier
from edgemind.domain.monitoring.conditions import CONDITIONS
from edgemind.domain.monitoring.metrics import AT, METRO
from edgemind.domain.monitoring.promql import PROMQL, enough_requests

Document = dict[str, Any]
EVALUATED_EVERY = "15s"


def rules_document(tier: Tier) -> Document:
    """A Prometheus rule file."""
    kpis = [_kpi_rule(kpi, query, *bound) for kpi, query in _measured() for bound in bounds(kpi, tier)]
    return {
        "groups": [
            {"name": "edgemind-kpis", "interval": EVALUATED_EVERY, "rules": kpis},
            {"name": "edgemind-states", "interval": EVALUATED_EVERY, "rules": list(_state_rules())},
        ]
    }


def bounds(kpi: Kpi, tier: Tier) -> Iterator[tuple[Level, float]]:
    """The levels that the KPI has in this tier, the milder one first."""
    limits = kpi.limits[tier]
    for level, bound in ((Level.WARNING, limits.warning), (Level.CRITICAL, limits.critical)):
        if bound is not None:
            yield level, bound


def shown(value: float, unit: str) -> str:
    """A limit as people write it: `85 %`, `2000 ms`."""
    return f"{value * 100:g} %" if unit == "ratio" else f"{value:g} {unit}"


def duration(seconds: int) -> str:
    return f"{seconds // 60}m" if seconds and seconds % 60 == 0 else f"{seconds}s"


def _measured() -> Iterator[tuple[Kpi, str]]:
    for kpi in KPIS:
        query = PROMQL[kpi.name]
        if isinstance(query, str):
            yield kpi, query


def _kpi_rule(kpi: Kpi, query: str, level: Level, bound: float) -> Document:
    beyond = "above" if kpi.good is Good.BELOW else "below"
    enough = f" and {enough_requests(kpi.of_requests)}" if kpi.of_requests is not None else ""
    return _rule(
        kpi.name,
        f"{query} {'>' if kpi.good is Good.BELOW else '<'} {bound:g}{enough}",
        level,
        (kpi.dwell_s, kpi.recovery_s),
        f"{kpi.title} of {{{{ $labels.{METRO} }}}} is {_template(kpi)}, {beyond} {shown(bound, kpi.unit)}.",
        kpi.runbook,
    )


def _template(kpi: Kpi) -> str:
    return "{{ $value | humanizePercentage }}" if kpi.unit == "ratio" else f'{{{{ printf "%.1f" $value }}}} {kpi.unit}'


def _state_rules() -> Iterator[Document]:
    at = f"{{{{ $labels.{AT} }}}}"
    for one in CONDITIONS:
        if one.promql is not None:
            times_s = one.dwell_s, one.recovery_s
            yield _rule(one.name, one.promql, one.level, times_s, f"{at}: {one.text}", one.runbook)


def _rule(name: str, expr: str, level: Level, times_s: tuple[int, int], summary: str, runbook: str) -> Document:
    dwell_s, recovery_s = times_s
    return {
        "alert": name,
        "expr": expr,
        "for": duration(dwell_s),
        "keep_firing_for": duration(recovery_s),
        "labels": {"severity": level.value},
        "annotations": {"summary": summary, "runbook": f"docs/{runbook}"},
    }
