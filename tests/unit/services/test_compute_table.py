from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.beacons import ModelLoad
from edgemind.services.compute_table import IDLE_DEMAND_PER_S, TableComputer, fill_tables
from edgemind.services.neighbourhood import SiteLoad


def apart(rtt_ms: float) -> Callable[[str, str], float]:
    return lambda one, other: 0.0 if one == other else rtt_ms


def at(name: str, arrivals_per_s: float = 0.0, draining: bool = False, slots: int = 4, ready: bool = True) -> SiteLoad:
    """10 ms and 4 slots: 400 requests a second, 340 of which the table fills."""
    return SiteLoad(name, {"m": ModelLoad(0, slots, 10.0, ready, arrivals_per_s)}, draining)


sites = st.lists(
    st.builds(
        at, st.sampled_from("abcdefgh"), st.floats(0, 5000), st.booleans(), st.integers(0, 16), st.booleans()
    ),
    min_size=1, max_size=8, unique_by=lambda load: load.site,
)  # fmt: skip


def test_demand_within_capacity_stays_at_its_ingress() -> None:
    rows = fill_tables([at("a", 100.0), at("b", 50.0)], apart(5.0), 0.85)["m"]
    assert rows == {"a": {"a": 100.0}, "b": {"b": 50.0}}


def test_what_an_ingress_cannot_serve_goes_to_its_neighbour() -> None:
    rows = fill_tables([at("a", 400.0), at("b", 50.0)], apart(5.0), 0.85)["m"]
    assert rows["a"] == {"a": pytest.approx(340.0), "b": pytest.approx(60.0)}


@pytest.mark.parametrize("down", [at("a", 100.0, draining=True), at("a", 100.0, ready=False), at("a", 100.0, slots=0)])
def test_a_site_without_capacity_still_has_devices(down: SiteLoad) -> None:
    rows = fill_tables([down, at("b", 0.0)], apart(5.0), 0.85)["m"]
    assert rows["a"] == {"b": pytest.approx(100.0)}
    assert "a" not in rows["b"]


def test_an_idle_ingress_learns_where_its_first_request_should_go() -> None:
    rows = fill_tables([SiteLoad("a", {}), at("b")], apart(5.0), 0.85)["m"]
    assert rows["a"] == {"b": IDLE_DEMAND_PER_S}


def test_a_model_that_nobody_can_serve_is_in_no_table() -> None:
    assert fill_tables([at("a", 10.0, ready=False)], apart(5.0), 0.85) == {}


@given(sites, st.randoms())
def test_every_controller_computes_the_same_table_from_the_same_loads(loads: list[SiteLoad], random: object) -> None:
    shuffled = list(loads)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fill_tables(loads, apart(5.0), 0.85) == fill_tables(shuffled, apart(5.0), 0.85)


@given(sites)
def test_every_row_sums_to_its_ingress_demand_and_no_closed_site_is_in_it(loads: list[SiteLoad]) -> None:
    closed = {load.site for load in loads if load.draining or not load.models["m"].has_capacity}
    for ingress, row in fill_tables(loads, apart(5.0), 0.85).get("m", {}).items():
        asked = next(load.models["m"].arrivals_per_s for load in loads if load.site == ingress)
        assert sum(row.values()) == pytest.approx(max(asked, IDLE_DEMAND_PER_S))
        assert not closed & set(row)


def test_only_the_own_row_is_kept_and_versions_grow_with_time_and_without() -> None:
    tables = TableComputer("a", 0.85)

    first = tables.compute([at("a", 10.0), at("b", 20.0)], apart(5.0), now_ms=1_000)
    assert first.weights == {"m": {"a": 10.0}}
    assert (first.version, first.computed_at_ms) == (1_000, 1_000)

    set_back = tables.compute([at("a", 10.0)], apart(5.0), now_ms=900)
    assert (set_back.version, set_back.computed_at_ms) == (1_001, 900)
    assert tables.latest is set_back
