"""The last quarter of an hour of one site, in steps of wall time, so that several sites' steps lie side by side."""

from collections.abc import Iterable, Mapping
from math import log10

from edgemind.domain.operations_status import SeriesPage, SiteSeries

STEP_MS = 2000
KEPT = 450
"""Steps: 15 minutes."""
DEFAULT_STEP_MS = 10_000
"""Of the whole quarter of an hour: 50 sites and 5 series in some 100 KB."""
STEP_LIMIT_MS = 60_000
SERIES = ("requests_per_s", "in_flight", "busy_ratio", "added_ms_p99", "shed_per_s")
_WORST = frozenset({"added_ms_p99"})
"""Percentiles have no mean."""
Values = Mapping[str, float | None]


class SiteHistory:
    """A ring by number of the step: wall time / `STEP_MS`."""

    def __init__(self) -> None:
        self._steps: dict[int, Values] = {}

    def add(self, wall_ms: int, values: Values) -> None:
        """One look per step. A clock that is set takes later steps with it, and by more than the ring, all of it."""
        step, steps = wall_ms // STEP_MS, self._steps
        if steps and abs(step - next(reversed(steps))) > KEPT:
            steps.clear()
        # In the order of time: the oldest are first, and what a clock that was set back left in the future is last.
        while steps and next(iter(steps)) <= step - KEPT:
            del steps[next(iter(steps))]
        while steps and next(reversed(steps)) >= step:
            steps.popitem()
        steps[step] = values

    def page(self, site: str, since_ms: int, step_ms: int, wall_ms: int) -> SeriesPage:
        """Steps of `step_ms` (a multiple of `STEP_MS`) that end after `since_ms` and are over at `wall_ms`."""
        newest_ms = wall_ms // step_ms * step_ms
        oldest_ms = newest_ms - KEPT * STEP_MS
        first_ms = max(oldest_ms, since_ms // step_ms * step_ms) + step_ms
        count = max(0, (newest_ms - first_ms) // step_ms + 1)
        ends = [first_ms + place * step_ms for place in range(count)]
        values = {name: [self._value(name, end, step_ms) for end in ends] for name in SERIES}
        return SeriesPage(first_ms, step_ms, count, [SiteSeries(site, values)])

    def _value(self, name: str, end_ms: int, step_ms: int) -> float | None:
        steps = range((end_ms - step_ms) // STEP_MS, end_ms // STEP_MS)
        known = [value for at in steps if (value := self._steps.get(at, {}).get(name)) is not None]
        if not known:
            return None
        return _short(max(known) if name in _WORST else sum(known) / len(known))


def joined(own: SeriesPage, others: Iterable[SeriesPage], unreachable: list[str]) -> SeriesPage:
    """The others' values in the own page's steps, by wall time; None where theirs do not reach."""
    sites = [*own.sites]
    for page in others:
        if page.step_ms == own.step_ms:
            ahead = (own.first_ms - page.first_ms) // own.step_ms
            sites += [SiteSeries(one.site, _shifted(one.values, ahead, own.steps)) for one in page.sites]
    return SeriesPage(own.first_ms, own.step_ms, own.steps, sorted(sites, key=lambda one: one.site), unreachable)


def _shifted(values: Mapping[str, list[float | None]], ahead: int, steps: int) -> dict[str, list[float | None]]:
    return {
        name: [row[at] if 0 <= (at := place + ahead) < len(row) else None for place in range(steps)]
        for name in SERIES
        if (row := values.get(name)) is not None
    }


def _short(value: float) -> float:
    """Three digits are what a chart can show, and they are short on the wire."""
    if value == 0.0:
        return 0
    digits = 2 - int(log10(abs(value)) // 1)
    rounded = round(value, max(0, digits))
    return int(rounded) if rounded == int(rounded) else rounded
