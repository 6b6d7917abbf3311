"""Routing settings that contradict themselves are refused when they are made."""

from typing import Any

import pytest

from edgemind.domain.bounds import OutOfBounds
from edgemind.domain.routing.policy_settings import RoutingPolicy


def test_the_defaults_are_consistent() -> None:
    assert RoutingPolicy().beacon_interval_ms == 100.0


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"fresh_ms": 50.0}, "fresh_ms"),
        ({"fresh_ms": 1_001.0}, "fresh_ms"),
        ({"fill_ratio": 0.0}, "fill_ratio"),
        ({"override_margin_ms": float("nan")}, "override_margin_ms"),
    ],
    ids=["fresh for less than a beacon interval", "fresh for longer than alive", "out of bounds", "not a number"],
)
def test_contradictions_name_the_field(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(OutOfBounds) as caught:
        RoutingPolicy(**settings)
    assert caught.value.field == field
