"""The verdict, the tiles of KPIs and of requests, and small pictures of a trend."""

from collections.abc import Sequence
from itertools import pairwise

from dashboard.markup.elements import Html, joined, quiet, span, tag, text
from dashboard.verdict import Verdict
from dashboard.wording import LEVELS, measured
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import KpiStatus

SPARK_POINTS = 24
_HEADLINES = {
    Level.OK: "All well",
    Level.INFO: "All well",
    Level.WARNING: "Warning",
    Level.CRITICAL: "Critical",
    Level.UNKNOWN: "Unknown",
}


def verdict_banner(verdict: Verdict) -> Html:
    """What an operator has to see first, and an executive has to see at all."""
    sign, _ = LEVELS[verdict.level]
    head = joined([level_sign(verdict.level, sign), span("em-verdict-word", text(_HEADLINES[verdict.level]))])
    said = [tag("p", text(f"{verdict.headline}."), class_="em-verdict-head")]
    if verdict.more:
        items = joined(tag("li", text(one)) for one in verdict.more)
        said.append(tag("ul", items, class_="em-verdict-more"))
    content = joined([tag("div", head, class_="em-verdict-level"), tag("div", joined(said))])
    return tag("div", content, class_=f"em-verdict em-level-{verdict.level.value}", role="status")


def level_sign(level: Level, sign: str) -> Html:
    return tag("span", text(sign), class_=f"em-sign em-level-{level.value}", aria_hidden="true")


def level_chip(level: Level) -> Html:
    sign, word = LEVELS[level]
    return tag("span", joined([level_sign(level, sign), text(word)]), class_=f"em-chip em-level-{level.value}")


def number_tile(title: str, value: str, note: str, trend: Sequence[float | None] = (), bad: bool = False) -> Html:
    """A number that has no target."""
    shown = tag("span", text(value), class_="em-value em-bad" if bad else "em-value")
    parts = [span("em-title", text(title)), shown, span("em-note", text(note)), spark(trend)]
    return tag("div", joined(parts), class_="em-tile")


def tiles(each: Sequence[Html]) -> Html:
    return tag("div", joined(each), class_="em-tiles")


def spark(values: Sequence[float | None], css_class: str = "em-spark", points: int = SPARK_POINTS) -> Html:
    """An area as tall as its greatest value, from 0; a gap where nothing is known. The number stands beside it."""
    shape = _outline(thinned(values, points))
    # One element, and no spare characters: a page of fifty sites sends two hundred of these at each refresh.
    return tag("i", Html(""), class_=f"em-area {css_class}", style=f"clip-path:polygon({shape})") if shape else Html("")


def _outline(shown: Sequence[float | None]) -> str:
    """The corners of the area in percent, empty if fewer than two values are known, or none is more than 0."""
    known = [one for one in shown if one is not None]
    top = max(known, default=0.0)
    if len(known) < 2 or top <= 0.0:
        return ""
    corners = ["0 100%"]
    last, before = len(shown) - 1, None
    for place, value in enumerate(shown):
        across = f"{100 * place / last:.0f}%"
        if value is None or before is None:
            # A gap has upright sides: nothing rises or falls where nothing is known.
            corners.append(f"{across if value is not None else corners[-1].split()[0]} 100%")
        if value is not None:
            # 4 % stay at the bottom: a value of nothing is drawn as a line.
            corners.append(f"{across} {96 - 94 * max(0.0, value) / top:.0f}%")
        before = value
    corners.append(f"{corners[-1].split()[0]} 100%")
    return ",".join(dict.fromkeys(corners))


def thinned(values: Sequence[float | None], most: int) -> list[float | None]:
    """At most so many, each the greatest of the stretch that it stands for: a peak is never thinned away."""
    if len(values) <= most:
        return list(values)
    bounds = [round(place * len(values) / most) for place in range(most + 1)]
    stretches = (values[first:end] for first, end in pairwise(bounds))
    return [max((one for one in stretch if one is not None), default=None) for stretch in stretches]


def kpi_tile(kpi: KpiStatus) -> Html:
    side = "under" if kpi.good == "below" else "over"
    target = f"target {side} {measured(kpi.target, kpi.unit)}"
    value = measured(kpi.value, kpi.unit)
    css_class = "em-value em-unknown" if kpi.value is None else "em-value"
    note = quiet(kpi.why.replace("`", "")) if kpi.why else Html("")
    parts = [
        span("em-title", text(kpi.title)),
        span(css_class, text(value)),
        tag("span", joined([level_chip(kpi.level), text(target)], " "), class_="em-note"),
        note,
        spark(kpi.trend) if kpi.value is not None else Html(""),
    ]
    return tag("div", joined(parts), class_=f"em-tile em-edge em-level-{kpi.level.value}", title=kpi.definition)
