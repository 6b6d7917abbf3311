"""Shifts that rounds decided, and what they do to the table."""

import pytest

from edgemind.domain.routing.overlay import Shift, fits, shift_of, with_shift, without_shift
from edgemind.domain.routing.table import Capacity, water_fill
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence, Outcome

NEAR, FAR = 5.0, 8.0


def rtt_ms(ingress: str, site: str) -> float:
    return 0.0 if ingress == site else FAR if {ingress, site} == {"a", "c"} else NEAR


def table(shift: Shift | None, demand_a: float = 180.0, demand_b: float = 40.0) -> dict[str, dict[str, float]]:
    """Three sites of 100 requests a second; `a` is overloaded, `b` is its nearest, `c` idle and farther away."""
    capacities = [Capacity(name, 10, 100.0) for name in "abc"]
    shifts = {} if shift is None else {"a": shift}
    demand = {"a": demand_a, "b": demand_b, "c": 1.0}
    return water_fill(demand, capacities, rtt_ms, shifts=shifts)


def test_the_load_moves_to_the_site_that_was_decided_on_and_the_breaching_one_gets_air() -> None:
    before, after = table(None)["a"], table(Shift("m", "c", 100, Fence(1, 1)))["a"]
    assert before == pytest.approx({"a": 85.0, "b": 45.0, "c": 50.0})
    assert after == pytest.approx({"a": 68.0, "c": 84.0, "b": 28.0})
    assert sum(after.values()) == pytest.approx(180.0)


def test_half_of_the_overflow() -> None:
    after = table(Shift("m", "c", 50, Fence(1, 1)), demand_a=108.0)["a"]
    # Beyond 68 there are 40: 20 for the taker, the others go where the table would send them.
    assert after == pytest.approx({"a": 68.0, "c": 20.0, "b": 20.0})


def test_a_taker_is_never_filled_beyond_its_share() -> None:
    rows = table(Shift("m", "b", 100, Fence(1, 1)))
    assert sum(row.get("b", 0.0) for row in rows.values()) == pytest.approx(85.0)
    assert sum(sum(row.values()) for row in rows.values()) == pytest.approx(221.0)


def test_an_overload_of_all_is_shared_and_leaves_the_relieved_site_less_than_its_share() -> None:
    def load_of_a(shift: Shift | None) -> float:
        return sum(row.get("a", 0.0) for row in table(shift, demand_a=300.0).values())

    assert load_of_a(Shift("m", "c", 100, Fence(1, 1))) < load_of_a(None) - 10


@pytest.mark.parametrize("to", ["gone", "a"])
def test_a_taker_that_is_gone_takes_nothing(to: str) -> None:
    row = table(Shift("m", to, 100, Fence(1, 1)))["a"]
    assert to == "a" or to not in row
    assert sum(row.values()) == pytest.approx(180.0)


def test_nothing_moves_once_the_demand_fits() -> None:
    demand = 0.9 * 0.8 * 0.85 * 100
    assert fits(demand, 100.0, 0.85)
    assert not fits(demand + 0.1, 100.0, 0.85)
    assert table(Shift("m", "c", 100, Fence(1, 1)), demand_a=demand)["a"] == pytest.approx({"a": demand})


def test_the_newest_decision_about_a_model_stands() -> None:
    old, new, other = (
        Shift("m", "b", 50, Fence(1, 7)),
        Shift("m", "c", 100, Fence(2, 1)),
        Shift("n", "b", 100, Fence(1, 9)),
    )
    assert with_shift(with_shift((old,), other), new) == (new, other)
    assert with_shift((new,), old) == (new,)
    assert without_shift((new, other), "m") == (other,)


def test_only_a_shift_is_one() -> None:
    outcome = Outcome(Candidate(Action.SHIFT, "b", 50, "a", "m"))
    assert shift_of(Fence(1, 2), outcome) == Shift("m", "b", 50, Fence(1, 2))
    assert shift_of(Fence(1, 2), Outcome(KEEP)) is None
