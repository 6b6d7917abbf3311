"""Charts from plain rows. Pure: the same rows make the same chart; axes and their text take the page's theme."""

from collections.abc import Mapping, Sequence

import altair as alt

from dashboard.history import TrendPoint

BLUE, ORANGE = "#2f80c2", "#d55e00"
HEIGHT = 200
_P50, _P99 = "p50", "p99 (worst site)"


def requests_chart(trend: Sequence[TrendPoint]) -> alt.Chart:
    """Requests per second of the fleet over time."""
    rows = [{"at": point.at_ms, "value": point.requests_per_s, "stretch": point.stretch} for point in trend]
    chart: alt.Chart = _lines(rows).encode(
        color=alt.value(BLUE),
        x=_time(),
        y=_amount(),
        detail="stretch:N",
        tooltip=[_moment(), alt.Tooltip("value:Q", title="requests/s", format=".1f")],
    )
    return chart


def latency_chart(trend: Sequence[TrendPoint]) -> alt.Chart:
    """Added latency over time. The lines differ in dashes too, for who cannot tell their colours apart."""
    rows: list[dict[str, object]] = []
    for point in trend:
        for name, value in ((_P50, point.added_ms_p50), (_P99, point.added_ms_p99)):
            if value is not None:
                rows.append({"at": point.at_ms, "value": value, "stretch": point.stretch, "line": name})
    names = [_P50, _P99]
    legend = alt.Legend(orient="top", title=None)
    chart: alt.Chart = _lines(rows).encode(
        x=_time(),
        y=_amount(),
        color=alt.Color("line:N", scale=alt.Scale(domain=names, range=[BLUE, ORANGE]), legend=legend),
        strokeDash=alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]), legend=legend),
        detail="stretch:N",
        tooltip=[_moment(), "line:N", alt.Tooltip("value:Q", title="ms", format=".1f")],
    )
    return chart


def _lines(rows: Sequence[Mapping[str, object]]) -> alt.Chart:
    base = alt.Chart(alt.InlineData(values=list(rows)), height=HEIGHT)
    chart: alt.Chart = base.mark_line(strokeWidth=2, interpolate="monotone")
    return chart


def _time() -> alt.X:
    axis = alt.Axis(title=None, format="%H:%M:%S", tickCount=4, labelOverlap=True, grid=False)
    return alt.X("at:T", axis=axis)


def _amount() -> alt.Y:
    # The heading above the chart names the unit.
    return alt.Y("value:Q", axis=alt.Axis(title=None, tickCount=4), scale=alt.Scale(zero=True))


def _moment() -> alt.Tooltip:
    return alt.Tooltip("at:T", title="at", format="%H:%M:%S")
