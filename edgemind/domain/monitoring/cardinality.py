"""How many series a fleet may have: what each label can be, and how often each metric is exposed.

Every label's values come from the configuration or from this code's own words, never from a request: what a client
sends can make no series.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from edgemind.domain.monitoring.metrics import CONTROLLER, GATEWAY, Kind, Metric
from edgemind.domain.requests import Reason, ShedReason
from edgemind.domain.swarm.records import Action

SERIES_PER_50_SITES = 5000
"""What fifty sites with one gateway worker each may come to while their requests run as requests do: near by."""


@dataclass(frozen=True, slots=True)
class FleetSize:
    """`models` and `places` are of one site: of its own models, and of those other (site, model) it has requests at.

    `used` is how many sites a gateway sends requests to (its own and the cloud tier among them), `reasons` how many of
    the reasons it has decided by, `watched` how many sites a controller tells of.
    """

    sites: int
    models: int
    used: int
    places: int
    reasons: int
    watched: int
    ejected: int = 0


OUTCOME_WORDS, EFFECT_WORDS = len(Action) + 2, 4
ALL_REASONS = len(Reason) + len(ShedReason)
BOUNDS: Mapping[tuple[str, ...], Callable[[FleetSize], int]] = {
    (): lambda size: 1,
    ("site",): lambda size: size.used,
    ("reason",): lambda size: size.reasons,
    ("model",): lambda size: size.models,
    ("site", "model"): lambda size: size.models + size.places,
    ("outcome",): lambda size: OUTCOME_WORDS,
    ("state",): lambda size: EFFECT_WORDS,
}
"""Most values of a set of labels at one process."""
_OF_WATCHED = frozenset({"edgemind_site_report_age_seconds", "edgemind_site_up"})


def series_of(metric: Metric, size: FleetSize) -> int:
    """At most, at one process. A histogram has its buckets, +Inf, a sum and a count for each."""
    if metric.name in _OF_WATCHED:
        return size.watched
    if metric.name == "edgemind_gateway_ejected":
        return size.models + size.ejected
    each = len(metric.bounds_ms) + 3 if metric.kind is Kind.HISTOGRAM else 1
    return prod((each, BOUNDS[metric.labels](size)))


def budget(size: FleetSize, workers: int = 1) -> int:
    """Series of all gateways and controllers of a fleet, at most."""
    gateway = sum(series_of(metric, size) for metric in GATEWAY)
    controller = sum(series_of(metric, size) for metric in CONTROLLER)
    return size.sites * (workers * gateway + controller)
