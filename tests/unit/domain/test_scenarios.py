"""The catalogue: complete, consistent with itself, and with the fleet that the demo lays out."""

import pytest

from edgemind.domain.device_mixes import Mix, for_models, weights
from edgemind.domain.scenarios import SCENARIOS, FaultKind, Scenario
from edgemind.entrypoints.demo.layout import LLAMA_MODEL, SIMULATED_MODELS, ZONES

EVERY = [pytest.param(scenario, id=name) for name, scenario in SCENARIOS.items()]


def test_the_catalogue_has_what_the_command_offers() -> None:
    assert list(SCENARIOS) == [
        "normal", "flash-crowd", "site-failure", "brownout", "gaming", "automotive", "healthcare", "iot",
    ]  # fmt: skip


@pytest.mark.parametrize("scenario", EVERY)
def test_a_scenario_makes_sense(scenario: Scenario) -> None:
    assert scenario.text.endswith(".")
    assert sum(activity.share for activity in scenario.mix) == pytest.approx(1.0)
    assert len({activity.name for activity in scenario.mix}) == len(scenario.mix)
    moments = [(fault.start_ratio, fault.end_ratio or 1.0) for fault in scenario.faults]
    moments += [(surge.start_ratio, surge.end_ratio) for surge in scenario.surges]
    assert all(0.0 < start < end <= 1.0 for start, end in moments)


@pytest.mark.parametrize("scenario", EVERY)
def test_every_activity_can_be_served_where_it_may_be(scenario: Scenario) -> None:
    served = {model.name for model in (LLAMA_MODEL, *SIMULATED_MODELS)}
    for activity in scenario.mix:
        assert activity.model in served
        assert not activity.residency or any(activity.residency & set(zones) for zones in ZONES)


def test_some_residency_leaves_a_site_out() -> None:
    """Or nothing would be seen of it."""
    german = next(activity.residency for activity in SCENARIOS["healthcare"].mix)
    assert {bool(german & set(zones)) for zones in ZONES} == {True, False}


def test_the_flash_crowd_is_at_one_ingress_in_the_middle_third() -> None:
    crowd = SCENARIOS["flash-crowd"]
    assert [crowd.rate_factor(0, at, 3) for at in (0.1, 0.34, 0.66, 0.7)] == [1.0, 25.0, 25.0, 1.0]
    assert [crowd.rate_factor(1, at, 3) for at in (0.1, 0.5)] == [1.0, 1.0]
    assert crowd.boundaries() == (1 / 3, 2 / 3)


def test_a_site_dies_half_way_and_needs_another_one() -> None:
    failure = SCENARIOS["site-failure"]
    [fault] = failure.faults
    assert (fault.kind, fault.start_ratio, fault.end_ratio, failure.min_sites) == (FaultKind.KILL, 0.5, None, 2)


@pytest.mark.parametrize("scenario", EVERY)
@pytest.mark.parametrize("per_s", [0.4, 10.0, 40.0])
def test_chances_sum_to_one_and_respect_caps(scenario: Scenario, per_s: float) -> None:
    chances = weights(scenario.mix, per_s, sites=3)
    assert sum(chances.values()) == pytest.approx(1.0)
    for activity in scenario.mix:
        if activity.at_most_per_s is not None:
            assert chances[activity.name] * per_s * 3 <= activity.at_most_per_s + 1e-9


def test_without_the_real_model_its_requests_go_to_the_simulated_one() -> None:
    mix: Mix = SCENARIOS["normal"].mix
    served = [model.name for model in SIMULATED_MODELS]
    replaced = for_models(mix, served)
    assert {activity.model for activity in replaced} == set(served)
    assert [activity.name for activity in replaced] == [activity.name for activity in mix]
    assert for_models(mix, [*served, LLAMA_MODEL.name]) == mix
