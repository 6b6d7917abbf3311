"""What goes wrong in a run, and when: a flash crowd at some ingresses, a brownout of some sites."""

from dataclasses import dataclass
from random import Random

from edgemind.simulation.network import RttMs, by_distance
from edgemind.simulation.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Disturbance:
    """`factor` on the demand (crowd) or the service time (brownout) of `sites`, from `start_ms` until `end_ms`."""

    sites: frozenset[int]
    factor: float
    start_ms: float
    end_ms: float

    def factor_at(self, site: int, now_ms: float) -> float:
        return self.factor if site in self.sites and self.start_ms <= now_ms < self.end_ms else 1.0


@dataclass(frozen=True, slots=True)
class Faults:
    flash_crowd: Disturbance
    brownout: Disturbance


def plan_faults(parameters: Parameters, rtt_ms: RttMs, rng: Random) -> Faults:
    """Each flash crowd meets sites next to one another, as a stadium's cells are; the brownout meets any sites."""
    flash, brownout = parameters.flash_crowd, parameters.brownout
    duration_ms = parameters.load.duration_s * 1000
    sites = len(rtt_ms)
    crowded = _crowds(rtt_ms, _affected(flash.ingress_ratio, sites), flash.crowd_sites, rng)
    slowed = frozenset(rng.sample(range(sites), _affected(brownout.site_ratio, sites)))
    return Faults(
        Disturbance(crowded, flash.factor, flash.start_ratio * duration_ms, flash.end_ratio * duration_ms),
        Disturbance(slowed, brownout.factor, brownout.start_ratio * duration_ms, brownout.end_ratio * duration_ms),
    )


def _crowds(rtt_ms: RttMs, affected: int, crowd_sites: int, rng: Random) -> frozenset[int]:
    """Crowds of `crowd_sites` neighbouring ingresses each, until `affected` ingresses have one."""
    crowded: set[int] = set()
    while len(crowded) < affected:
        centre = rng.choice([site for site in range(len(rtt_ms)) if site not in crowded])
        around = [site for site in by_distance(rtt_ms, centre) if site not in crowded]
        crowded.update(around[: min(crowd_sites, affected - len(crowded))])
    return frozenset(crowded)


def _affected(ratio: float, sites: int) -> int:
    """A fault that has a ratio above zero affects at least one site, however small the fleet."""
    return max(1, round(ratio * sites)) if ratio > 0 else 0
