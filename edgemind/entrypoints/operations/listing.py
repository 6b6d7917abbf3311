"""KPIs and alerts as tables for people."""

from collections.abc import Mapping
from typing import Any

from edgemind.domain.operations.observed import shown
from edgemind.entrypoints.operations.lines import plain
from edgemind.entrypoints.text_tables import Cell, show_ms, text_table

Document = Mapping[str, Any]
NOTE_LIMIT = 90


def kpis_text(told: Document) -> str:
    """`edgemind kpis`."""
    rows: list[list[Cell]] = []
    for kpi in told["kpis"]:
        unit = str(kpi["unit"])
        sign = "<" if kpi["good"] == "below" else ">"
        window = kpi.get("window_s")
        rows.append([
            plain(kpi["name"]),
            shown(kpi["value"], unit) if kpi["value"] is not None else None,
            f"{sign} {shown(kpi['target'], unit)}",
            plain(kpi["level"]).upper() if kpi["level"] in {"warning", "critical"} else plain(kpi["level"]),
            f"{window // 60} min" if window and window >= 60 else f"{window} s" if window else None,
            plain(kpi.get("why") or "")[:NOTE_LIMIT],
        ])  # fmt: skip
    head = f"tier {plain(told['tier'])}, measured by {plain(told['asked'])}: {plain(told['measured'])}"
    return f"{head}\n\n{text_table(['KPI', 'VALUE', 'TARGET', 'LEVEL', 'OVER', 'NOTE'], rows)}"


def alerts_text(page: Document, now_ms: float) -> str:
    """`edgemind alerts list`; `now_ms` is wall time: ages are as good as the clocks agree."""
    lines = [_table(page, now_ms) if page["alerts"] else "No alert is pending, firing or lately resolved."]
    if page.get("unreachable"):
        silent = ", ".join(plain(site) for site in page["unreachable"])
        lines.append(f"without what {silent} would tell: not reached just now")
    for sink in page.get("sinks") or []:
        if not sink["ok"]:
            lost = f", {sink['lost']} lost" if sink["lost"] else ""
            lines.append(
                f"alerts do not reach {plain(sink['name'])} ({sink['waiting']} waiting{lost}): "
                f"{plain(sink['last_error'] or 'no reason')}"
            )
    return "\n\n".join(lines)


def _table(page: Document, now_ms: float) -> str:
    rows: list[list[Cell]] = [
        [
            plain(alert["level"]).upper() if alert["state"] == "firing" else plain(alert["level"]),
            plain(alert["state"]),
            show_ms(max(0.0, now_ms - (alert.get("ended_ms") or alert["since_ms"]))),
            plain(alert["name"]),
            plain(alert.get("site") or "(metro)"),
            plain(alert["text"])[:NOTE_LIMIT],
            f"docs/{plain(alert['runbook'])}",
        ]
        for alert in page["alerts"]
    ]
    return text_table(["LEVEL", "STATE", "FOR", "ALERT", "SITE", "WHAT", "RUNBOOK"], rows)
