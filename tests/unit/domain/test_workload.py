"""Arrivals: seeded, in order, at the rates that the scenario asks for."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.domain.scenarios import SCENARIOS
from edgemind.domain.workload import DEVICES_PER_ACTIVITY, Arrival, Course, arrivals


def course(scenario: str = "normal", sites: int = 3, rate_per_s: float = 30.0, duration_s: float = 300.0) -> Course:
    chosen = SCENARIOS[scenario]
    return Course(chosen, chosen.mix, sites, rate_per_s, duration_s)


def drawn(chosen: Course, seed: int = 1) -> list[Arrival]:
    return list(arrivals(chosen, [Random(f"{seed} {site}") for site in range(chosen.sites)]))


@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    sites=st.integers(1, 6),
    rate_per_s=st.floats(1, 200),
    seed=st.integers(0, 99),
)
def test_arrivals_are_in_order_and_within_the_run(name: str, sites: int, rate_per_s: float, seed: int) -> None:
    sent = drawn(course(name, sites, rate_per_s, 3.0), seed)
    assert [one.at_s for one in sent] == sorted(one.at_s for one in sent)
    assert all(0.0 <= one.at_s < 3.0 and one.site < sites and one.device < DEVICES_PER_ACTIVITY for one in sent)
    assert sent == drawn(course(name, sites, rate_per_s, 3.0), seed)


def test_the_rate_is_what_was_asked_for() -> None:
    sent = drawn(course())
    # Poisson: the standard deviation of 9000 is 95.
    assert len(sent) == pytest.approx(30.0 * 300.0, abs=400)
    for site in range(3):
        assert sum(one.site == site for one in sent) == pytest.approx(3000, abs=250)


def test_the_real_model_gets_about_two_a_second_whatever_the_rate() -> None:
    for rate_per_s in (30.0, 100.0):
        real = [one for one in drawn(course(rate_per_s=rate_per_s)) if one.activity.model == "smollm2-135m"]
        assert len(real) / 300.0 == pytest.approx(2.0, abs=0.3)


def test_a_flash_crowd_comes_to_one_ingress_for_a_third() -> None:
    sent = drawn(course("flash-crowd"))
    middle = [one for one in sent if 100.0 <= one.at_s < 200.0]
    assert sum(one.site == 0 for one in middle) == pytest.approx(25_000, abs=800)
    assert sum(one.site == 1 for one in middle) == pytest.approx(1000, abs=150)
    assert sum(one.site == 0 for one in sent if one.at_s < 100.0) == pytest.approx(1000, abs=150)


def test_another_site_does_not_change_what_one_is_sent() -> None:
    alone = [one for one in drawn(course(rate_per_s=30.0)) if one.site == 0]
    calm, crowded = course("normal"), course("flash-crowd")
    assert alone == [one for one in drawn(calm) if one.site == 0]
    other = [one for one in drawn(crowded) if one.site == 2]
    assert [one.at_s for one in other if one.at_s < 100.0] == [
        one.at_s for one in drawn(calm) if one.site == 2 and one.at_s < 100.0
    ]


def test_endless_goes_on_after_the_course() -> None:
    short = course("flash-crowd", duration_s=3.0)
    rngs = [Random(site) for site in range(3)]
    sent = list(islice(arrivals(short, rngs, endless=True), 3000))
    assert sent[-1].at_s > 60.0
    assert sum(3.0 <= one.at_s < 63.0 for one in sent) == pytest.approx(1800, abs=200)
