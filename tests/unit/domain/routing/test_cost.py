"""The formulas, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.routing.cost import (
    WAITING_WEIGHT,
    ServiceTimeEstimate,
    expected_completion_ms,
    observed_service_ms,
    routing_cost_ms,
    waiting_ms,
)

in_flights = st.floats(0, 1_000)
slot_counts = st.integers(1, 64)
durations_ms = st.floats(0.1, 10_000)


@pytest.mark.parametrize(
    ("in_flight", "expected_ms"),
    [(0, 0.0), (3, 0.0), (4, 5.0), (7, 20.0), (11, 40.0)],
    ids=["idle", "last free slot", "one waits", "a whole round waits", "two rounds wait"],
)
def test_what_lies_beyond_the_slots_is_served_a_slot_each(in_flight: float, expected_ms: float) -> None:
    assert waiting_ms(in_flight, slots=4, service_ms=20.0) == expected_ms


def test_expected_completion_is_the_sum_of_its_terms() -> None:
    assert expected_completion_ms(5.0, 20.0, 4, 4, load_ms=300.0) == 5.0 + 300.0 + 20.0 + 5.0


def test_the_cost_weighs_only_the_waiting() -> None:
    assert routing_cost_ms(5.0, 20.0, 3, 4, load_ms=300.0) == expected_completion_ms(5.0, 20.0, 3, 4, load_ms=300.0)
    assert routing_cost_ms(5.0, 20.0, 4, 4) == 5.0 + 20.0 + WAITING_WEIGHT * 5.0


@given(durations_ms, in_flights, slot_counts)
def test_an_observation_explains_the_service_time_that_caused_it(
    service_ms: float, in_flight: float, slots: int
) -> None:
    elapsed_ms = expected_completion_ms(0.0, service_ms, in_flight, slots)
    assert observed_service_ms(elapsed_ms, in_flight, slots) == pytest.approx(service_ms)


def test_an_estimate_starts_from_its_prior_and_forgets_a_wrong_one_within_some_dozen_answers() -> None:
    estimate = ServiceTimeEstimate(400.0)
    assert estimate.ms == 400.0
    for _ in range(100):
        estimate.observe(20.0, in_flight_at_send=0, slots=4)
    assert estimate.ms == pytest.approx(20.0, rel=0.5)


def test_early_answers_weigh_more_than_later_ones() -> None:
    fresh, settled = ServiceTimeEstimate(20.0), ServiceTimeEstimate(20.0)
    for _ in range(100):
        settled.observe(20.0, 0, 4)
    fresh.observe(40.0, 0, 4)
    settled.observe(40.0, 0, 4)
    assert fresh.ms - 20.0 == pytest.approx(20.0 / (ServiceTimeEstimate.PRIOR_OBSERVATIONS + 1))
    assert settled.ms - 20.0 == pytest.approx(20.0 * 0.03)


def test_a_loaded_server_is_measured_as_fast_as_it_is() -> None:
    estimate = ServiceTimeEstimate(20.0)
    estimate.observe(elapsed_ms=40.0, in_flight_at_send=7, slots=4)
    assert estimate.ms == pytest.approx(20.0)
