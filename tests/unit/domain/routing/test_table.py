"""Water-filling: nobody's demand is lost, near capacity is used first, an overload is shared."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.routing.table import Capacity, RoutingTable, water_fill

NAMES = [f"site-{name}" for name in "abcdef"]
demands = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1e6), min_size=1)
capacities = st.lists(
    st.builds(Capacity, st.sampled_from(NAMES), st.integers(1, 64), st.floats(0.1, 10_000)),
    min_size=1, unique_by=lambda capacity: capacity.site,
)  # fmt: skip


def distance(seed: int) -> Callable[[str, str], float]:
    """Symmetric round trips of 5 to 30 ms between sites, none within one."""
    return lambda one, other: 0.0 if one == other else Random(f"{seed}{sorted((one, other))}").uniform(5, 30)


@given(demands, capacities, st.integers(0, 9), st.floats(0.01, 1))
def test_each_row_sums_to_its_ingress_demand(
    demand: dict[str, float], capacity: list[Capacity], seed: int, fill_ratio: float
) -> None:
    shares = water_fill(demand, capacity, distance(seed), fill_ratio)
    assert shares.keys() == demand.keys()
    for ingress, row in shares.items():
        assert sum(row.values()) == pytest.approx(demand[ingress], abs=1e-9)
        assert all(rate > 0 for rate in row.values())
        assert row.keys() <= {one.site for one in capacity}


@given(demands, capacities, st.integers(0, 9))
def test_a_site_is_filled_to_its_ratio_unless_the_whole_fleet_is_overloaded(
    demand: dict[str, float], capacity: list[Capacity], seed: int
) -> None:
    shares = water_fill(demand, capacity, distance(seed), 0.85)
    room = sum(0.85 * one.rate_per_s for one in capacity)
    if sum(demand.values()) <= room * 0.999:
        for one in capacity:
            taken = sum(row.get(one.site, 0.0) for row in shares.values())
            assert taken <= 0.85 * one.rate_per_s * (1 + 1e-9)


@given(demands, capacities, st.integers(0, 9), st.randoms(use_true_random=False))
def test_the_order_of_its_inputs_changes_nothing(
    demand: dict[str, float], capacity: list[Capacity], seed: int, rng: Random
) -> None:
    ingresses, shuffled = list(demand), list(capacity)
    rng.shuffle(ingresses)
    rng.shuffle(shuffled)
    again = water_fill({name: demand[name] for name in ingresses}, shuffled, distance(seed))
    assert again == water_fill(demand, capacity, distance(seed))


def test_zero_demand_gives_empty_rows() -> None:
    assert water_fill({"a": 0.0, "b": 0.0}, [Capacity("a", 4, 10.0)], distance(0)) == {"a": {}, "b": {}}


def test_a_demand_too_small_to_be_shared_leaves_no_empty_share() -> None:
    full = [Capacity(name, 1, 10_000.0) for name in "ab"]
    row = water_fill({"a": 5e-324, "b": 1.0}, full, lambda i, j: 0.0 if i == j else 1.0, fill_ratio=0.01)["a"]
    assert all(rate > 0 for rate in row.values())
    assert water_fill({"b": 1.0, "c": 5e-324}, full, lambda i, j: 0.0, fill_ratio=0.01)["c"] == {}


def test_one_site_takes_everything_even_beyond_its_capacity() -> None:
    assert water_fill({"a": 1_000.0}, [Capacity("a", 4, 10.0)], distance(0)) == {"a": {"a": pytest.approx(1_000.0)}}


def test_nobody_to_serve_leaves_the_rows_empty() -> None:
    assert water_fill({"a": 10.0}, [], distance(0)) == {"a": {}}


def test_an_ingress_stays_at_home_and_spills_to_the_nearest() -> None:
    rtt_ms = {("a", "b"): 5.0, ("a", "c"): 9.0}
    shares = water_fill(
        {"a": 500.0},
        [Capacity(name, 4, 10.0) for name in "abc"],
        lambda i, j: 0.0 if i == j else rtt_ms[i, j],
    )
    assert shares == {"a": {"a": pytest.approx(340.0), "b": pytest.approx(160.0)}}


def test_an_overload_is_spilled_in_proportion_to_slots() -> None:
    capacity = [Capacity("a", 2, 10.0), Capacity("b", 6, 10.0)]
    row = water_fill({"a": 1_480.0}, capacity, distance(0))["a"]
    assert row == {"a": pytest.approx(170.0 + 200.0), "b": pytest.approx(510.0 + 600.0)}


def test_a_slow_site_is_filled_after_a_fast_one_that_is_farther() -> None:
    capacity = [Capacity("a", 4, 45.0), Capacity("b", 4, 15.0)]
    row = water_fill({"a": 100.0}, capacity, lambda i, j: 0.0 if i == j else 10.0)["a"]
    assert row == {"b": 100.0}


def test_a_table_knows_its_version_and_moment() -> None:
    table = RoutingTable(7, 1_000, {"m": {"site-a": 1.0}})
    assert (table.version, table.computed_at_ms, table.weights["m"]["site-a"]) == (7, 1_000, 1.0)
