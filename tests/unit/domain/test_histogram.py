import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.histogram import LATENCY_BOUNDS_MS, Histogram

VALUES = st.lists(st.floats(min_value=0.0, max_value=100_000.0), min_size=1, max_size=200)


def of(*values: float) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    return histogram


def test_empty_it_has_no_quantiles() -> None:
    assert Histogram().quantile_ms(0.5) is None
    assert (Histogram().count, Histogram().sum_ms) == (0, 0.0)


def test_a_bound_belongs_to_its_bucket_as_in_prometheus() -> None:
    histogram = of(1.0, 1.0001)
    position = LATENCY_BOUNDS_MS.index(1)
    assert histogram.counts[position : position + 2] == [1, 1]


def test_quantiles_are_interpolated_within_a_bucket() -> None:
    histogram = of(*[45.0] * 100)
    assert histogram.quantile_ms(0.5) == pytest.approx(45.0)
    assert histogram.quantile_ms(1.0) == pytest.approx(50.0)


def test_above_the_last_bound_a_quantile_is_that_bound() -> None:
    assert of(1e9).quantile_ms(0.99) == LATENCY_BOUNDS_MS[-1]
    assert of(1.0, 1e9).quantile_ms(0.99) == LATENCY_BOUNDS_MS[-1]


def test_what_came_since_a_copy() -> None:
    histogram = of(10.0, 20.0)
    earlier = histogram.copy()
    histogram.observe(300.0)
    since = histogram.since(earlier)
    assert (since.count, since.sum_ms) == (1, 300.0)
    assert earlier.count == 2, "a copy stays what it was"


@given(VALUES)
def test_nothing_is_lost(values: list[float]) -> None:
    histogram = of(*values)
    assert histogram.count == len(values)
    assert histogram.sum_ms == pytest.approx(sum(values))


@given(VALUES, st.floats(min_value=0.01, max_value=1.0), st.floats(min_value=0.01, max_value=1.0))
def test_quantiles_do_not_decrease(values: list[float], one: float, other: float) -> None:
    histogram = of(*values)
    low, high = histogram.quantile_ms(min(one, other)), histogram.quantile_ms(max(one, other))
    assert low is not None
    assert high is not None
    assert 0.0 <= low <= high + 1e-9
