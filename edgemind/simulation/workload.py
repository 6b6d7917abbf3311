"""What the devices ask for: a Poisson process per ingress, with its work drawn once per request."""

from collections.abc import Iterator, Sequence
from heapq import merge
from random import Random
from typing import NamedTuple

from edgemind.simulation.faults import Disturbance
from edgemind.simulation.parameters import LoadParameters, WorkParameters


class Request(NamedTuple):
    """One request. `work` is its service time as a multiple of a healthy site's mean, `draw` the router's randomness.

    Both belong to the request and not to the policy, so that policies are compared on the same requests.
    """

    sent_ms: float
    ingress: int
    work: float
    draw: float


def normal_rates_per_s(
    load: LoadParameters, slots: Sequence[int], service_ms: float, flash_crowd: Disturbance, rng: Random
) -> list[float]:
    """Each ingress's rate outside the flash crowd, so that the fleet's demand during it is `peak_utilisation`."""
    shares = [count * (1 + load.skew * rng.uniform(-1, 1)) for count in slots]
    peak = sum(
        share * (flash_crowd.factor if ingress in flash_crowd.sites else 1.0) for ingress, share in enumerate(shares)
    )
    capacity_per_s = sum(slots) * 1000 / service_ms
    return [load.peak_utilisation * capacity_per_s * share / peak for share in shares]


def arrivals(
    rates_per_s: Sequence[float], flash_crowd: Disturbance, duration_ms: float, work: WorkParameters, seed: int
) -> list[Request]:
    """Every request of a run in order of time."""
    streams = [
        _at_ingress(ingress, rate_per_s, flash_crowd, duration_ms, work, Random(f"{seed} arrivals {ingress}"))
        for ingress, rate_per_s in enumerate(rates_per_s)
    ]
    return list(merge(*streams))


def _at_ingress(
    ingress: int, rate_per_s: float, flash_crowd: Disturbance, duration_ms: float, work: WorkParameters, rng: Random
) -> Iterator[Request]:
    factor = flash_crowd.factor if ingress in flash_crowd.sites else 1.0
    pieces = ((flash_crowd.start_ms, 1.0), (flash_crowd.end_ms, factor), (duration_ms, 1.0))
    begin_ms = 0.0
    for end_ms, times in pieces:
        # A Poisson process has no memory: restarting it where its rate changes leaves it one.
        rate_per_ms = rate_per_s * times / 1000
        now_ms = begin_ms + rng.expovariate(rate_per_ms)
        while now_ms < end_ms:
            yield Request(now_ms, ingress, _draw_work(work, rng), rng.random())
            now_ms += rng.expovariate(rate_per_ms)
        begin_ms = max(begin_ms, end_ms)


def _draw_work(work: WorkParameters, rng: Random) -> float:
    """Its mean is 1 whatever the distribution: the mean of a lognormal is exp(mu + sigma^2 / 2)."""
    if work.distribution == "exponential":
        return rng.expovariate(1.0)
    return rng.lognormvariate(-work.sigma * work.sigma / 2, work.sigma)
