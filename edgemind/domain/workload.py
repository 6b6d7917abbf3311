"""Who sends what when: seeded arrivals of a scenario, one independent Poisson process per ingress. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import pairwise
from random import Random
from typing import NamedTuple

from edgemind.domain.device_mixes import Activity, Mix, weights
from edgemind.domain.scenarios import Scenario

DEVICES_PER_ACTIVITY = 4
"""Devices of one kind at one site. More would change nothing: arrivals do not wait for the one before."""


class Arrival(NamedTuple):
    """One request of one device; `device` counts those of its site that do the same. `at_s` is from the start."""

    at_s: float
    site: int
    device: int
    activity: Activity


@dataclass(frozen=True, slots=True)
class Course:
    """A scenario laid over a fleet and a time: `rate_per_s` is that of all ingresses together without any surge.

    `mix` is the scenario's, for the models that are served. `duration_s` is what its ratios are taken of.
    """

    scenario: Scenario
    mix: Mix
    sites: int
    rate_per_s: float
    duration_s: float

    def ingress_per_s(self, site: int, at_s: float) -> float:
        factor = self.scenario.rate_factor(site, at_s / self.duration_s, self.sites)
        return self.rate_per_s / self.sites * factor


def arrivals(course: Course, rngs: Sequence[Random], *, endless: bool = False) -> Iterator[Arrival]:
    """Every request in order of time, drawn as it is asked for; `endless` goes on at the last rates.

    One generator of randomness a site: what happens at one ingress does not change what another one is sent.
    """
    return merge(*(_at_ingress(course, site, rng, endless) for site, rng in enumerate(rngs)), key=_at_s)


def _at_s(arrival: Arrival) -> float:
    return arrival.at_s


def _at_ingress(course: Course, site: int, rng: Random, endless: bool) -> Iterator[Arrival]:
    inner = [moment * course.duration_s for moment in course.scenario.boundaries()]
    moments_s = [0.0, *inner, math.inf if endless else course.duration_s]
    for begin_s, end_s in pairwise(moments_s):
        per_s = course.ingress_per_s(site, begin_s)
        by_name = weights(course.mix, per_s, course.sites)
        chances = [by_name[activity.name] for activity in course.mix]
        # A Poisson process has no memory: restarted where the rate changes it is still one.
        now_s = begin_s + rng.expovariate(per_s)
        while now_s < end_s:
            activity = rng.choices(course.mix, chances)[0]
            yield Arrival(now_s, site, rng.randrange(DEVICES_PER_ACTIVITY), activity)
            now_s += rng.expovariate(per_s)
