"""When a breach counts, and when it is over: samples only, no clock."""

from collections.abc import Sequence

import pytest

from edgemind.domain.swarm.breach import BreachWatch, severity
from edgemind.domain.thresholds import Thresholds

RULE = Thresholds(occupancy_ratio=1.0, queue_depth=50, samples=5, breaches=3)


def seen(occupancies: Sequence[float], watch: BreachWatch | None = None) -> list[str]:
    """For each sample of one model: `breach`, `over` or nothing."""
    found = []
    for occupancy in occupancies:
        change = (watch := watch or BreachWatch(RULE)).observe({"llm": {"occupancy_ratio": occupancy}})
        found.append("over" if change.over else "breach" if change.breaching else "")
    return found


@pytest.mark.parametrize(
    ("occupancies", "expected"),
    [
        ([2, 0, 2, 0], ["", "", "", ""]),
        ([2, 0, 2, 0, 2], ["", "", "", "", "breach"]),
        ([2, 2, 0, 0, 0, 2], ["", "", "", "", "", ""]),
        ([2, 2, 2, 0.5, 0.5, 0.5], ["", "", "breach", "breach", "breach", "over"]),
        # Between the two thresholds a breach neither begins nor ends.
        ([0.9] * 6, [""] * 6),
        ([2, 2, 2] + [0.9] * 5, ["", "", *["breach"] * 6]),
        ([2, 2, 2, 1.0, 0.81, 0.8, 0.8, 0.8], ["", "", *["breach"] * 5, "over"]),
    ],
)
def test_three_of_five_samples_begin_it_and_three_calm_ones_end_it(
    occupancies: list[float], expected: list[str]
) -> None:
    assert seen(occupancies) == expected


def test_a_sample_breaches_by_its_worst_measure() -> None:
    assert severity({"occupancy_ratio": 0.5, "queue_depth": 100.0}, RULE) == 2.0
    assert severity({}, RULE) == 0.0
    assert severity({"gpu_ratio": 0.4}, Thresholds(gpu_ratio=0.0)) == float("inf")
    assert severity({"gpu_ratio": 0.0}, Thresholds(gpu_ratio=0.0)) == 0.0


def test_the_worst_model_comes_first_with_what_it_showed() -> None:
    watch = BreachWatch(RULE)
    for _ in range(3):
        change = watch.observe({"a": {"occupancy_ratio": 1.5}, "b": {"occupancy_ratio": 3.0}, "c": {}})
    assert list(change.breaching) == ["b", "a"]
    assert change.breaching["b"] == {"occupancy_ratio": 3.0}


def test_a_model_that_is_gone_breaches_no_more() -> None:
    watch = BreachWatch(RULE)
    seen([2, 2, 2], watch)
    assert watch.observe({}).over == ("llm",)
    assert seen([2, 2, 2], watch) == ["", "", "breach"], "it begins anew"
