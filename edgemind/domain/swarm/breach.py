"""When a site is about to miss its targets: so many of the last samples above a threshold, model by model."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgemind.domain.thresholds import Thresholds

LEAVE_RATIO = 0.8
"""A breach is over below this share of the threshold that began it: at the threshold itself it would come and go."""

Measures = Mapping[str, float]
"""What was measured, by the names of `Thresholds`; what cannot be measured here is absent."""


@dataclass(frozen=True, slots=True)
class BreachChange:
    """`breaching`: models whose breach is confirmed, new or not, with what the last sample showed; the worst first.
    `over`: models whose breach has just ended."""

    breaching: Mapping[str, Measures] = field(default_factory=dict)
    over: tuple[str, ...] = ()


class BreachWatch:
    """The models of one site. A model that is no longer sampled is forgotten: its breach is over."""

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self._severe: dict[str, deque[float]] = {}
        """Of each model, the last samples: the largest measure, each as a ratio of its threshold."""
        self._breaching: set[str] = set()

    def observe(self, samples: Mapping[str, Measures]) -> BreachChange:
        """One sample of every model."""
        for gone in self._severe.keys() - samples.keys():
            del self._severe[gone]
        for model, measures in samples.items():
            window = self._severe.setdefault(model, deque(maxlen=self.thresholds.samples))
            window.append(severity(measures, self.thresholds))
        over = tuple(sorted(model for model in self._breaching if self._is_over(model)))
        self._breaching -= set(over)
        self._breaching |= {model for model in self._severe if self._count(model, above=1.0)}
        worst_first = sorted(self._breaching, key=lambda model: (-self._severe[model][-1], model))
        return BreachChange({model: samples[model] for model in worst_first}, over)

    def _count(self, model: str, *, above: float) -> bool:
        return sum(value > above for value in self._severe[model]) >= self.thresholds.breaches

    def _is_over(self, model: str) -> bool:
        window = self._severe.get(model, ())
        calm = sum(value <= LEAVE_RATIO for value in window)
        return not window or calm >= self.thresholds.breaches


def severity(measures: Measures, thresholds: Thresholds) -> float:
    """The largest of a sample's measures, each as a ratio of its threshold: above 1 the sample breaches."""
    return max((_ratio(value, getattr(thresholds, name)) for name, value in measures.items()), default=0.0)


def _ratio(value: float, threshold: float) -> float:
    if threshold > 0:
        return value / threshold
    return float("inf") if value > 0 else 0.0
