"""What the default policy is held to: within one point of the oracle, however stale its signals are."""

import pytest

from edgemind.simulation.comparison import compare
from edgemind.simulation.outcomes import Summary
from edgemind.simulation.parameters import read_parameters

POINT = 0.01


def compared(policies: list[str], sites: int, seeds: int, staleness_ms: float) -> dict[str, Summary]:
    comparison = compare(
        policies, read_parameters(), sites=sites, seeds=seeds, staleness_ms=staleness_ms, progress=lambda _: None
    )
    return dict(comparison.policies)


@pytest.mark.parametrize("staleness_ms", [100.0, 1_000.0])
def test_hybrid_is_within_a_point_of_the_oracle(staleness_ms: float) -> None:
    results = compared(["oracle", "hybrid"], sites=10, seeds=1, staleness_ms=staleness_ms)
    assert results["oracle"].within_50ms - results["hybrid"].within_50ms < POINT
    assert results["oracle"].flash_within_50ms - results["hybrid"].flash_within_50ms < POINT
    assert results["hybrid"].shed == 0


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("staleness_ms", [100.0, 1_000.0])
def test_hybrid_is_within_a_point_of_the_oracle_in_a_large_fleet(staleness_ms: float) -> None:
    results = compared(["oracle", "hybrid"], sites=50, seeds=1, staleness_ms=staleness_ms)
    assert results["oracle"].within_50ms - results["hybrid"].within_50ms < POINT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hybrid_is_the_best_of_those_that_can_be_built() -> None:
    from edgemind.simulation.policies import CHOOSERS

    results = compared(list(CHOOSERS), sites=10, seeds=3, staleness_ms=100.0)
    del results["oracle"]
    assert max(results, key=lambda name: results[name].within_50ms) == "hybrid"
