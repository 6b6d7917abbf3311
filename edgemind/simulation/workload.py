"""What the devices send: a Poisson process per ingress, with work drawn once per request."""

from collections.abc import Iterator, Sequence
from heapq import merge
from random import Random
from typing import NamedTuple

from edgemind.simulation.faults import Disturbance


class Request(NamedTuple):
    """One request. `work` is its service time as a multiple of a healthy site's mean, `draw` the router's randomness.

    Both belong to the request and not to the run, so that policies are compared on the same requests.
    """

    sent_ms: float
    ingress: int
    work: float
    draw: float


def arrivals(
    rates_per_s: Sequence[float], flash_crowd: Disturbance, duration_ms: float, sigma: float, seed: int
) -> list[Request]:
    """Every request of a run in order of time; `rates_per_s` holds the normal rate of each ingress."""
    streams = [
        _at_ingress(ingress, rate_per_s, flash_crowd, duration_ms, sigma, Random(f"{seed} arrivals {ingress}"))
        for ingress, rate_per_s in enumerate(rates_per_s)
    ]
    return list(merge(*streams))


def _at_ingress(
    ingress: int, rate_per_s: float, flash_crowd: Disturbance, duration_ms: float, sigma: float, rng: Random
) -> Iterator[Request]:
    factor = flash_crowd.factor if ingress in flash_crowd.sites else 1.0
    pieces = ((flash_crowd.start_ms, 1.0), (flash_crowd.end_ms, factor), (duration_ms, 1.0))
    begin_ms = 0.0
    for end_ms, times in pieces:
        # A Poisson process has no memory: restarting it where the rate changes keeps it one.
        rate_per_ms = rate_per_s * times / 1000
        now_ms = begin_ms + rng.expovariate(rate_per_ms)
        while now_ms < end_ms:
            # The log's mean is -sigma^2/2, so that the mean of `work` is 1 whatever sigma is.
            work = rng.lognormvariate(-sigma * sigma / 2, sigma)
            yield Request(now_ms, ingress, work, rng.random())
            now_ms += rng.expovariate(rate_per_ms)
        begin_ms = end_ms
