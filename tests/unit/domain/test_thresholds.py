"""Thresholds, limits and routing policy hold their own bounds, whoever builds them."""

import math
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.limits import Limits
from edgemind.domain.routing.policy_settings import PolicyName, RoutingPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.errors import ConfigurationError

BOUNDED = [
    (kind, field) for kind in (Limits, Thresholds, RoutingPolicy) for field in fields(kind) if "ge" in field.metadata
]


def test_the_defaults_are_those_of_the_design() -> None:
    assert Thresholds() == Thresholds(
        latency_ms=100, cpu_ratio=0.8, gpu_ratio=0.8, queue_depth=50, samples=5, breaches=3
    )
    assert (Limits().max_body_bytes, Limits().max_header_bytes, Limits().header_timeout_s) == (10_485_760, 32_768, 10)
    assert (Limits().replay_bytes_per_request, Limits().replay_bytes_total) == (262_144, 16_777_216)
    assert RoutingPolicy() == RoutingPolicy(
        PolicyName.HYBRID, override_margin_ms=2, fresh_ms=500, session_margin_ms=2, fill_ratio=0.85, tick_ms=250
    )
    assert RoutingPolicy().beacon_interval_ms == 100


def test_a_setting_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        Thresholds().latency_ms = 5  # type: ignore[misc]


@pytest.mark.parametrize(("kind", "field"), BOUNDED, ids=lambda item: getattr(item, "name", None))
def test_a_value_outside_its_bounds_is_refused(kind: Any, field: Any) -> None:
    for value in (field.metadata["ge"] - 1, field.metadata["le"] + 1, math.nan):
        with pytest.raises(OutOfBounds, match=field.name) as caught:
            kind(**{field.name: value})
        assert caught.value.field == field.name


@pytest.mark.parametrize(("kind", "field"), BOUNDED, ids=lambda item: getattr(item, "name", None))
def test_every_number_says_its_unit_and_meaning_and_its_default_fits(kind: Any, field: Any) -> None:
    assert field.metadata["json_schema_extra"]["unit"]
    assert field.metadata["description"].endswith(".")
    assert field.metadata["ge"] <= field.default <= field.metadata["le"]


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        (Limits, {"default_deadline_ms": 20.0, "max_deadline_ms": 10.0}, "default_deadline_ms"),
        (Limits, {"replay_bytes_per_request": 20, "replay_bytes_total": 10}, "replay_bytes_per_request"),
        (Thresholds, {"samples": 3, "breaches": 4}, "breaches"),
        (RoutingPolicy, {"fresh_ms": 50.0, "beacon_hz": 10.0}, "fresh_ms"),
        (RoutingPolicy, {"fresh_ms": 2000.0, "stale_site_ms": 1000.0}, "fresh_ms"),
    ],
)
def test_values_that_contradict_each_other_are_refused(kind: Any, values: dict[str, float], field: str) -> None:
    with pytest.raises(ConfigurationError, match=r"raise|lower") as caught:
        kind(**values)
    assert isinstance(caught.value, OutOfBounds)
    assert caught.value.field == field
