"""Charts from plain rows. Pure: the same rows make the same chart; axes and their text take the page's theme.

Aggregates are Altair's, for they carry annotations; many lines at once are ECharts', which draws them in no time.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from dashboard.history import TrendPoint
from edgemind.domain.swarm.summaries import RoundSummary

BLUE, ORANGE, GREY = "#2f80c2", "#d55e00", "#808890"
STANDING_OUT = ("#2f80c2", "#d55e00", "#0e9a74", "#b0619b", "#a37f00", "#5b6c9e")
"""Okabe and Ito's, darkened or lightened until they stand out from a white and a black page (3:1)."""
HEIGHT = 200
Drawn = alt.LayerChart | alt.FacetChart
_P50, _P99 = "p50", "p99 (worst site)"
_DASHES = ("solid", "dashed", "dotted")


def requests_chart(trend: Sequence[TrendPoint], rounds: Sequence[RoundSummary] = ()) -> Drawn:
    """Requests per second of the fleet over time, with the rounds of that time."""
    rows = [{"at": point.at_ms, "value": _rounded(point.requests_per_s), "stretch": point.stretch} for point in trend]
    lines: alt.Chart = _lines(rows).encode(
        color=alt.value(BLUE),
        x=_time(),
        y=_amount(rows),
        detail="stretch:N",
        tooltip=[_moment(), alt.Tooltip("value:Q", title="requests/s", format=".1f")],
    )
    return _with_rounds(lines, trend, rounds)


def latency_chart(trend: Sequence[TrendPoint], rounds: Sequence[RoundSummary] = ()) -> Drawn:
    """Added latency over time. The lines differ in dashes too, for who cannot tell their colours apart."""
    rows: list[dict[str, object]] = []
    for point in trend:
        for name, value in ((_P50, point.added_ms_p50), (_P99, point.added_ms_p99)):
            if value is not None:
                rows.append({"at": point.at_ms, "value": _rounded(value), "stretch": point.stretch, "line": name})
    names = [_P50, _P99]
    legend = alt.Legend(orient="top", title=None)
    lines = _lines(rows).encode(
        x=_time(),
        y=_amount(rows),
        color=alt.Color("line:N", scale=alt.Scale(domain=names, range=[BLUE, ORANGE]), legend=legend),
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]), legend=legend),
        detail="stretch:N",
        tooltip=[_moment(), "line:N", alt.Tooltip("value:Q", title="ms", format=".1f")],
    )
    return _with_rounds(lines, trend, rounds)


def site_lines(
    values: Mapping[str, Sequence[float | None]], moments: Sequence[str], first: Sequence[str]
) -> dict[str, Any]:
    """ECharts options: a line for each site. Those of `first` have colours, dashes and a name; the rest is grey.

    `moments` name the values: written once, for fifty lines with a time at each point are three times as long.
    """
    order = [*(site for site in values if site not in first), *(site for site in first if site in values)]
    series = [_site_line(site, values[site], first) for site in order]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 28, "top": 36 if first else 12, "bottom": 8, "containLabel": True},
        "legend": {"data": [site for site in first if site in values], "top": 0, "left": 0, "type": "scroll"},
        "tooltip": {"trigger": "item"},
        "xAxis": {"type": "category", "data": list(moments), "boundaryGap": False, "axisLabel": {"hideOverlap": True}},
        "yAxis": {"type": "value", "splitNumber": 4, "min": 0},
        "series": series,
    }


def _site_line(site: str, values: Sequence[float | None], first: Sequence[str]) -> dict[str, Any]:
    outstanding = site in first
    place = first.index(site) if outstanding else 0
    colour = STANDING_OUT[place % len(STANDING_OUT)] if outstanding else GREY
    style = {
        "color": colour,
        "width": 2 if outstanding else 1,
        "opacity": 1.0 if outstanding else 0.35,
        "type": _DASHES[place % len(_DASHES)] if outstanding else "solid",
    }
    data = [None if value is None else _rounded(value) for value in values]
    return {
        "name": site,
        "type": "line",
        "showSymbol": False,
        "symbol": "circle",
        "z": 3 if outstanding else 2,
        "itemStyle": {"color": colour},
        "lineStyle": style,
        "data": data,
    }


def _with_rounds(lines: alt.Chart, trend: Sequence[TrendPoint], rounds: Sequence[RoundSummary]) -> Drawn:
    begin_ms, end_ms = (trend[0].at_ms, trend[-1].at_ms) if trend else (0, 0)
    rows = [
        {"at": one.at_ms, "round": f"round {one.fence}", "told": one.told, "changed": one.outcome not in {None, "KEEP"}}
        for one in rounds
        if begin_ms <= one.at_ms <= end_ms
    ]
    if not rows:
        return alt.layer(lines)
    # Grey, not the theme's: text of a layer stays black on a dark page otherwise.
    marks = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("at:T"), tooltip=[_moment(), alt.Tooltip("round:N"), alt.Tooltip("told:N", title="decided")]
    )
    rules = marks.mark_rule(color=GREY, strokeDash=[2, 3]).encode(
        opacity=alt.condition("datum.changed", alt.value(1.0), alt.value(0.35)),
        size=alt.condition("datum.changed", alt.value(2), alt.value(1)),
    )
    return alt.layer(lines, rules)


def _rounded(value: float) -> float:
    """As much as can be seen: every digit is sent again at each refresh."""
    return float(f"{value:.3g}")


def _lines(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    base = alt.Chart(alt.InlineData(values=list(rows)), height=HEIGHT)
    chart: alt.Chart = base.mark_line(strokeWidth=2, interpolate="monotone")
    return chart


def _time() -> alt.X:
    axis = alt.Axis(title=None, format="%H:%M:%S", tickCount=4, labelOverlap=True, grid=False)
    return alt.X("at:T", axis=axis)


def _amount(rows: Sequence[Mapping[str, object]]) -> alt.Y:
    # Nothing at all would be drawn in the middle of no scale.
    scale = alt.Scale(zero=True) if any(row["value"] for row in rows) else alt.Scale(domain=[0, 1])
    # The heading above the chart names the unit.
    return alt.Y("value:Q", axis=alt.Axis(title=None, tickCount=4), scale=scale)


def _moment() -> alt.Tooltip:
    return alt.Tooltip("at:T", title="at", format="%H:%M:%S")
