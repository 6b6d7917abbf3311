"""Series in steps of wall time: what is kept, what is asked for, how sites lie side by side, how large it is."""

from random import Random

import orjson
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.operations.series import DEFAULT_STEP_MS, KEPT, SERIES, STEP_MS, SiteHistory, joined
from edgemind.domain.operations_status import SeriesPage, SiteSeries

START_MS = 1_700_000_000_000


def filled(steps: int, name: str = "in_flight") -> SiteHistory:
    history = SiteHistory()
    for step in range(steps):
        history.add(START_MS + step * STEP_MS, {name: float(step)})
    return history


def values(page: SeriesPage, name: str = "in_flight") -> list[float | None]:
    return page.sites[0].values[name]


def test_the_last_quarter_of_an_hour_is_told_and_no_more() -> None:
    page = filled(1000).page("site-a", 0, STEP_MS, START_MS + 1000 * STEP_MS)
    assert (page.steps, page.step_ms) == (KEPT, STEP_MS)
    assert values(page) == [float(step) for step in range(550, 1000)]
    assert values(page, "shed_per_s") == [None] * KEPT
    assert page.first_ms + (page.steps - 1) * page.step_ms == START_MS + 1000 * STEP_MS


def test_only_what_is_new_is_told() -> None:
    history = filled(100)
    now_ms = START_MS + 100 * STEP_MS
    known_ms = START_MS + 98 * STEP_MS
    page = history.page("site-a", known_ms, STEP_MS, now_ms)
    assert (page.first_ms, values(page)) == (known_ms + STEP_MS, [98.0, 99.0])
    assert history.page("site-a", now_ms, STEP_MS, now_ms).steps == 0
    assert history.page("site-a", now_ms + 99_999, STEP_MS, now_ms).steps == 0


def test_longer_steps_are_means_but_for_percentiles() -> None:
    history = SiteHistory()
    for step in range(5):
        history.add(START_MS + step * STEP_MS, {"in_flight": float(step), "added_ms_p99": float(step)})
    page = history.page("site-a", START_MS, 10_000, START_MS + 10_000)
    assert (values(page), values(page, "added_ms_p99")) == ([2], [4])


def test_a_gap_is_no_value() -> None:
    history = filled(3)
    history.add(START_MS + 6 * STEP_MS, {"in_flight": 6.0})
    page = history.page("site-a", START_MS, STEP_MS, START_MS + 7 * STEP_MS)
    assert values(page) == [0, 1, 2, None, None, None, 6]


def test_a_clock_that_is_set_leaves_nothing_in_the_future() -> None:
    history = filled(100)
    history.add(START_MS + 50 * STEP_MS, {"in_flight": -1.0})
    assert max(history._steps) == (START_MS + 50 * STEP_MS) // STEP_MS
    history.add(START_MS + 10**9, {"in_flight": -2.0})
    assert len(history._steps) == 1
    history.add(START_MS, {"in_flight": -3.0})
    assert len(history._steps) == 1


@given(st.lists(st.integers(-10_000_000, 10_000_000), max_size=50), st.integers(0, 2 * 10**12), st.integers(1, 30))
def test_whatever_the_clock_does_memory_and_pages_are_bounded(jumps: list[int], since_ms: int, factor: int) -> None:
    history, now_ms = SiteHistory(), START_MS
    for jump in jumps:
        now_ms = max(0, now_ms + jump)
        history.add(now_ms, {"in_flight": 1.0})
        assert len(history._steps) <= KEPT
    page = history.page("site-a", since_ms, factor * STEP_MS, now_ms)
    assert 0 <= page.steps <= KEPT // factor + 1
    assert all(len(row) == page.steps for row in page.sites[0].values.values())


def test_sites_lie_side_by_side_whatever_they_know() -> None:
    own = SeriesPage(20_000, 2000, 3, [SiteSeries("site-b", {"in_flight": [1, 2, 3]})])
    early = SeriesPage(18_000, 2000, 3, [SiteSeries("site-a", {"in_flight": [7, 8, 9], "of_a_later_version": [0]})])
    late = SeriesPage(22_000, 2000, 3, [SiteSeries("site-c", {"in_flight": [5, 6, 7]})])
    other_steps = SeriesPage(20_000, 4000, 1, [SiteSeries("site-d", {"in_flight": [5]})])
    page = joined(own, [early, late, other_steps], ["site-e"])
    assert [(one.site, one.values) for one in page.sites] == [
        ("site-a", {"in_flight": [8, 9, None]}),
        ("site-b", {"in_flight": [1, 2, 3]}),
        ("site-c", {"in_flight": [None, 5, 6]}),
    ]
    assert (page.first_ms, page.steps, page.unreachable) == (20_000, 3, ["site-e"])


def test_fifty_sites_for_a_quarter_of_an_hour_are_less_than_150_kb_and_what_is_new_next_to_nothing() -> None:
    rng, now_ms = Random(7), START_MS + KEPT * STEP_MS
    histories = []
    for _ in range(50):
        history = SiteHistory()
        for step in range(KEPT):
            history.add(START_MS + step * STEP_MS, {name: rng.lognormvariate(3, 2) for name in SERIES})
        histories.append(history)

    def size(since_ms: int, step_ms: int) -> int:
        pages = [one.page(f"a-site-of-some-length-{at}", since_ms, step_ms, now_ms) for at, one in enumerate(histories)]
        return len(orjson.dumps(joined(pages[0], pages[1:], [])))

    assert size(0, DEFAULT_STEP_MS) < 150_000
    assert size(now_ms - 2 * STEP_MS, STEP_MS) < 15_000
