"""The picture of `edgemind top`, from what the fleet told last: pure, for any width and height."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgemind.domain.operations.observed import shown
from edgemind.entrypoints.operations.lines import BAD, DIM, GOOD, HEAD, PLAIN, WARN, Line, Span, fitted, padded, plain
from edgemind.entrypoints.text_tables import show, show_ms

Document = Mapping[str, Any]
BAR_CELLS = 10
LEAST_WIDTH = 40
ALERTS_SHOWN = 5
ROUNDS_SHOWN = 3
OLD_AFTER_S = 6.0
"""From then on the picture is not of now, and says so loudly: three refreshes, of which each takes 2 s or more."""
_LEVELS = {"ok": GOOD, "info": PLAIN, "warning": WARN, "critical": BAD, "unknown": DIM}
_STATES = {"alive": GOOD, "draining": WARN, "suspected": BAD, "gone": BAD}
_FIELDS = ("SITE", "STATE", "LOAD", "REQ/S", "ADDED P99", "SHED", "FAILED", "LATE")
_WIDTHS = (16, 9, BAR_CELLS + 7, 7, 9, 7, 7, 7)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last, and how old it is. `trouble` says why there is nothing newer, None while there is."""

    fleet: Document | None = None
    kpis: Document | None = None
    alerts: Document | None = None
    rounds: Document | None = None
    age_s: float | None = None
    trouble: str | None = None


def old_after_s(interval_s: float) -> float:
    """How old what is asked for so often may be."""
    return max(OLD_AFTER_S, 3.0 * interval_s)


def picture(told: Told, url: str, width: int, height: int | None = None, too_old_s: float = OLD_AFTER_S) -> list[Line]:
    """Lines that fit; with `height`, sites are left out rather than anything else."""
    width = max(LEAST_WIDTH, width)
    head, below = _head(told, url, too_old_s), [*_kpis(told), *_alerts(told), *_rounds(told)]
    room = None if height is None else max(1, height - len(head) - len(below) - 2)
    lines = [*head, *_sites(told, width, room), *below]
    return [fitted(line, width) for line in lines][: height or None]


def _head(told: Told, url: str, too_old_s: float) -> list[Line]:
    if told.fleet is None:
        first: Line = (Span(f"waiting for the fleet at {plain(url)}", HEAD),)
    else:
        metro, per_s = plain(told.fleet["metro"]), show(float(told.fleet["requests_per_s"]))
        alive = sum(site["state"] in {"alive", "declared"} for site in told.fleet["sites"])
        text = f"metro {metro}: {per_s} requests/s, {alive} of {len(told.fleet['sites'])} sites in service"
        first = (Span(text, HEAD), Span(f"   seen from {plain(told.fleet['asked'])}", DIM))
    return [first, *_age(told, too_old_s), ()]


def _age(told: Told, too_old_s: float) -> list[Line]:
    old = told.age_s is not None and told.age_s >= too_old_s
    if told.trouble is None and not old:
        return []
    data = f"THE DATA IS {told.age_s:.0f} s OLD" if told.age_s is not None else "NO DATA YET"
    return [(Span(f"{data}: {plain(told.trouble or 'the fleet is slow to answer')}", BAD),)]


def _sites(told: Told, width: int, room: int | None) -> list[Line]:
    if told.fleet is None:
        return []
    sites: Sequence[Document] = told.fleet["sites"]
    columns = _columns(width)
    shown_sites = sites if room is None or len(sites) <= room else sorted(sites, key=_worst_first)[: max(1, room - 1)]
    lines: list[Line] = [tuple(Span(padded(_FIELDS[at], _WIDTHS[at], right=at > 2) + "  ", DIM) for at in columns)]
    lines += [_site_row(site, columns) for site in shown_sites]
    if len(shown_sites) < len(sites):
        lines.append((Span(f"... {len(sites) - len(shown_sites)} more sites", DIM),))
    return lines


def _worst_first(site: Document) -> tuple[bool, float]:
    return site["state"] == "alive", -_busy(site)


def _columns(width: int) -> list[int]:
    """As many as fit, the most telling first."""
    columns, used = [], 0
    for at, cell_width in enumerate(_WIDTHS):
        used += cell_width + 2
        if used <= width:
            columns.append(at)
    return columns


def _site_row(site: Document, columns: Sequence[int]) -> Line:
    counted = (site.get("gateway") or {}).get("counters") or {}
    busy, state = _busy(site), plain(site["state"])
    filled = round(min(1.0, busy) * BAR_CELLS)
    bar = f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {busy * 100:3.0f}%"
    load_style = BAD if busy >= 1.0 else WARN if busy >= 0.8 else GOOD
    added = show_ms(counted.get("added_ms_p99"))
    shed, failed, late = (counted.get(name) for name in ("shed", "failed", "late"))
    values = (
        (plain(site["name"]), PLAIN),
        (state, _STATES.get(state, DIM)),
        (bar, load_style),
        (show(float(site["requests_per_s"])), PLAIN),
        (added, PLAIN),
        (show(shed), WARN if shed else PLAIN),
        (show(failed), BAD if failed else PLAIN),
        (show(late), WARN if late else PLAIN),
    )
    return tuple(Span(padded(values[at][0], _WIDTHS[at], right=at > 2) + "  ", values[at][1]) for at in columns)


def _busy(site: Document) -> float:
    slots = sum(model["slots"] for model in site["models"])
    return float(sum(model["in_flight"] for model in site["models"]) / slots) if slots else 0.0


def _kpis(told: Told) -> list[Line]:
    if told.kpis is None:
        return []
    known = [kpi for kpi in told.kpis["kpis"] if kpi["value"] is not None]
    missing = [plain(kpi["title"]) for kpi in told.kpis["kpis"] if kpi["value"] is None]
    lines: list[Line] = [(), (Span(f"KPIS, tier {plain(told.kpis['tier'])}", DIM),)]
    for kpi in known:
        sign = "<" if kpi["good"] == "below" else ">"
        unit = plain(kpi["unit"])
        lines.append((
            Span(padded(plain(kpi["title"]), 20)),
            Span(padded(shown(kpi["value"], unit), 12, right=True), _LEVELS.get(kpi["level"], DIM)),
            Span(f"  {sign} {shown(kpi['target'], unit)}", DIM),
        ))  # fmt: skip
    if missing:
        lines.append((Span(f"not measured here: {', '.join(missing)}", DIM),))
    return lines


def _alerts(told: Told) -> list[Line]:
    if told.alerts is None:
        return []
    active = [alert for alert in told.alerts["alerts"] if alert["state"] != "resolved"]
    lines: list[Line] = [(), (Span("ALERTS" if active else "ALERTS: none", DIM),)]
    for alert in active[:ALERTS_SHOWN]:
        firing = alert["state"] == "firing"
        word = plain(alert["level"]).upper() if firing else "pending"
        style = _LEVELS.get(alert["level"], DIM) if firing else DIM
        lines.append((Span(padded(word, 10), style), Span(f"{plain(alert['text'])}  docs/{plain(alert['runbook'])}")))
    if len(active) > ALERTS_SHOWN:
        lines.append((Span(f"... {len(active) - ALERTS_SHOWN} more: edgemind alerts list", DIM),))
    return lines


def _rounds(told: Told) -> list[Line]:
    rounds = told.rounds["rounds"][:ROUNDS_SHOWN] if told.rounds is not None else []
    if not rounds:
        return []
    lines: list[Line] = [(), (Span("ROUNDS", DIM),)]
    for one in rounds:
        decided = f", decided in {show_ms(one['decided_ms'])}" if one.get("decided_ms") is not None else ""
        lines.append((Span(f"{plain(one['fence'])}: {plain(one['told'])}{decided}"),))
    return lines
