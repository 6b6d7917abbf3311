"""Which settings advice may change, and how far: those that a replay of recorded rounds can judge, and no others.

The bounds are those of the setting itself, narrowed: an operator may go to an extreme, advice may not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class PolicyValues:
    """The groups of settings that hold what advice may change."""

    swarm: SwarmPolicy
    thresholds: Thresholds

    def value(self, path: str) -> float:
        group, _, name = path.partition(".")
        return float(getattr(getattr(self, group), name))

    def changed(self, values: Mapping[str, float]) -> "PolicyValues":
        """With other values by path. OutOfBounds if they contradict what they stand beside."""
        swarm, thresholds = _of_group("swarm", values), _of_group("thresholds", values)
        return PolicyValues(replace(self.swarm, **swarm), replace(self.thresholds, **thresholds))


@dataclass(frozen=True, slots=True)
class AdvisableSetting:
    """One setting, by its dotted path in edgemind.yaml, with advice's own bounds, both included.

    A change moves it by `step_ratio` of its value at most, or by `least_step` where that is more: from zero, too, there
    is a way.
    """

    path: str
    low: float
    high: float
    least_step: float
    step_ratio: float = 0.5
    whole: bool = False
    unit: str = ""
    meaning: str = ""

    def step(self, value: float) -> float:
        return max(self.least_step, self.step_ratio * value)

    def reach(self, value: float) -> tuple[float, float]:
        """The least and the greatest that one change may set from `value`; the value itself if it is outside."""
        step = self.step(value)
        low, high = max(self.low, value - step), min(self.high, value + step)
        return (low, high) if low <= high else (value, value)


def _advisable(path: str, low: float, high: float, least_step: float) -> AdvisableSetting:
    """Its unit and meaning, and the bounds that advice may not leave either, are the setting's own."""
    group, _, name = path.partition(".")
    kind: Any = {"swarm": SwarmPolicy, "thresholds": Thresholds}[group]
    (own,) = (one for one in fields(kind) if one.name == name)
    return AdvisableSetting(
        path,
        max(low, own.metadata["ge"]),
        min(high, own.metadata["le"]),
        least_step,
        whole=own.type in (int, "int"),
        unit=own.metadata["json_schema_extra"]["unit"],
        meaning=own.metadata["description"],
    )


ADVISABLE: Mapping[str, AdvisableSetting] = {
    setting.path: setting
    for setting in (
        _advisable("swarm.hysteresis_ratio", 0.02, 0.5, least_step=0.05),
        _advisable("swarm.cooldown_ms", 500, 600_000, least_step=500),
        _advisable("swarm.keep_for_s", 1, 3600, least_step=1),
        _advisable("thresholds.latency_ms", 10, 60_000, least_step=10),
        _advisable("thresholds.queue_depth", 1, 10_000, least_step=2),
        _advisable("thresholds.occupancy_ratio", 0.5, 10, least_step=0.1),
    )
}

SETTINGS_LIMIT = 3
"""That one change may move: what more of them did could not be told apart afterwards."""
LEAST_S, DEFAULT_S, LONGEST_S = 60, 3600, 86_400
"""How long a change is in force: it ends by itself."""
REASON_LIMIT = 600


def _of_group(group: str, values: Mapping[str, float]) -> dict[str, Any]:
    return {
        path.partition(".")[2]: int(value) if ADVISABLE[path].whole else float(value)
        for path, value in values.items()
        if path.partition(".")[0] == group
    }
