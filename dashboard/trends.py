"""How the fleet went lately: what its controllers kept, and from the page's first look on what the page saw. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from dashboard.history import GAP_MS, TrendPoint
from edgemind.domain.operations_status import SeriesPage, SiteSeries

__all__ = ["TrendPoint", "busiest", "series_of", "whole_trend"]


def whole_trend(series: SeriesPage | None, seen: Sequence[TrendPoint]) -> tuple[TrendPoint, ...]:
    """What the page saw itself, and where nobody looked, what the controllers kept. A line breaks where neither is."""
    if series is None:
        return tuple(seen)
    looked = {point.at_ms // series.step_ms for point in seen}
    kept = [point for point in kept_trend(series) if point.at_ms // series.step_ms not in looked]
    points, stretch, last_ms = [], 0, float("-inf")
    for point in sorted([*kept, *seen], key=lambda one: one.at_ms):
        stretch += point.at_ms - last_ms > max(GAP_MS, 2 * series.step_ms)
        points.append(replace(point, stretch=stretch))
        last_ms = point.at_ms
    return tuple(points)


def kept_trend(series: SeriesPage) -> list[TrendPoint]:
    """Of all sites together: requests add up, of latencies the worst site's counts."""
    points = []
    for place in range(series.steps):
        per_s = _known(series.sites, "requests_per_s", place)
        p99s = _known(series.sites, "added_ms_p99", place)
        if per_s:
            at_ms = series.first_ms + place * series.step_ms
            points.append(TrendPoint(at_ms, 1, sum(per_s), None, max(p99s, default=None)))
    return points


def series_of(series: SeriesPage, name: str) -> dict[str, list[float | None]]:
    """By site; a site that does not report it is missing."""
    return {site.site: site.values[name] for site in series.sites if name in site.values}


def busiest(values: dict[str, list[float | None]], most: int) -> list[str]:
    """The sites with the greatest newest values, the greatest first."""
    newest = {site: next((one for one in reversed(row) if one is not None), None) for site, row in values.items()}
    known = [(value, site) for site, value in newest.items() if value is not None]
    return [site for _, site in sorted(known, key=lambda one: (-one[0], one[1]))[:most]]


def _known(sites: Sequence[SiteSeries], name: str, place: int) -> list[float]:
    values = (site.values.get(name, []) for site in sites)
    return [row[place] for row in values if place < len(row) and row[place] is not None]  # type: ignore[misc]
