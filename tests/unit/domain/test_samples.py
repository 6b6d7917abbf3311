"""Quantiles and windows."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.samples import Samples, Window, quantile


def test_quantiles_are_values_that_occurred() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [quantile(values, ratio) for ratio in (0.0, 0.5, 0.99, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert quantile([], 0.5) is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_at_least_that_part_is_not_above(values: list[float], ratio: float) -> None:
    found = quantile(values, ratio)
    assert found is not None
    assert sum(value <= found for value in values) >= ratio * len(values) - 1e-9
    assert sum(value < found for value in values) < ratio * len(values) + 1e-9


def test_a_long_run_keeps_a_fair_sample() -> None:
    samples = Samples(Random(1), limit=500)
    for value in range(20_000):
        samples.add(float(value))
    assert samples.quantile(0.5) == pytest.approx(10_000, rel=0.1)


def test_a_window_forgets() -> None:
    window = Window(keep_s=10.0)
    for second in range(20):
        window.add(float(second), float(second))
    assert window.values(19.0) == [float(value) for value in range(9, 20)]
    assert window.values(100.0) == []


def test_a_young_window_is_not_taken_for_a_full_one() -> None:
    window = Window(keep_s=10.0)
    for moment in range(20):
        window.add(moment / 10, 1.0)
    assert window.per_s(2.0, running_s=2.0) == pytest.approx(10.0)
