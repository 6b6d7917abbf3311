"""What goes wrong in a run, and when: a flash crowd at some ingresses, a brownout of some sites."""

from dataclasses import dataclass
from random import Random

from edgemind.simulation.network import RttMs, by_distance
from edgemind.simulation.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Disturbance:
    """`factor` on the demand (or the service time) of `sites`, from `start_ms` until `end_ms`."""

    sites: frozenset[int]
    factor: float
    start_ms: float
    end_ms: float

    def factor_at(self, now_ms: float) -> float:
        return self.factor if self.start_ms <= now_ms < self.end_ms else 1.0


@dataclass(frozen=True, slots=True)
class Faults:
    flash_crowd: Disturbance
    brownout: Disturbance


def plan_faults(parameters: Parameters, rtt_ms: RttMs, rng: Random) -> Faults:
    """Each flash crowd meets sites next to one another, as a stadium's cells are; the brownout meets any sites."""
    flash, brownout = parameters.flash_crowd, parameters.brownout
    duration_ms = parameters.load.duration_s * 1000
    sites = len(rtt_ms)
    crowded = _crowds(rtt_ms, _count(flash.ingress_ratio, sites), flash.crowd_sites, rng)
    slowed = rng.sample(range(sites), _count(brownout.site_ratio, sites))
    return Faults(
        Disturbance(crowded, flash.factor, flash.start_ratio * duration_ms, flash.end_ratio * duration_ms),
        Disturbance(
            frozenset(slowed), brownout.factor, brownout.start_ratio * duration_ms, brownout.end_ratio * duration_ms
        ),
    )


def _crowds(rtt_ms: RttMs, affected: int, crowd_sites: int, rng: Random) -> frozenset[int]:
    """Crowds of `crowd_sites` neighbouring ingresses until `affected` ingresses have one."""
    crowded: set[int] = set()
    while len(crowded) < affected:
        free = [site for site in range(len(rtt_ms)) if site not in crowded]
        near = [site for site in by_distance(rtt_ms, rng.choice(free)) if site not in crowded]
        crowded.update(near[: min(crowd_sites, affected - len(crowded))])
    return frozenset(crowded)


def _count(ratio: float, sites: int) -> int:
    """At least one site is affected, unless the ratio is zero."""
    return max(1, round(ratio * sites)) if ratio > 0 else 0
