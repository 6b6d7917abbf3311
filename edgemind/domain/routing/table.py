"""The routing table: how much of each ingress's demand every site should take, by water-filling capacity."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from edgemind.domain.routing.overlay import Shift, relieved_fill, reserve

Weights = Mapping[str, Mapping[str, float]]
"""Model -> site -> requests per second that this ingress should send there."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one site can do for one model: `slots` requests at a time, each `service_ms` long."""

    site: str
    slots: int
    service_ms: float

    @property
    def rate_per_s(self) -> float:
        return self.slots * 1000.0 / self.service_ms


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Weights for one ingress. `version` grows with every table that its controller computed."""

    version: int
    computed_at_ms: int
    weights: Weights


def water_fill(
    demand_per_s: Mapping[str, float],
    capacities: Iterable[Capacity],
    rtt_ms: Callable[[str, str], float],
    fill_ratio: float = 0.85,
    home_ratio: float = 0.8,
    shifts: Mapping[str, Shift] = MappingProxyType({}),
) -> dict[str, dict[str, float]]:
    """Share one model's demand among the sites that serve it: ingress -> site -> requests per second.

    The (ingress, site) pairs are taken by rising round trip + service time; each site is filled to `fill_ratio` of its
    measured capacity. An ingress's own site counts with `home_ratio` of its time: measured service times differ by
    noise alone, and must not empty a site in favour of an equal neighbour. What no site has room for is spilled in
    proportion to slots, so that an overload is shared. Every ingress's row sums to its demand. Equal inputs give equal
    tables, in whichever order they come.

    `shifts`, by the site that is relieved, come first: that site is filled less, and the taker's room is theirs.
    """
    sites = {capacity.site: capacity for capacity in capacities}
    room = {name: relieved_fill(fill_ratio, name in shifts) * one.rate_per_s for name, one in sites.items()}
    left = dict(demand_per_s)
    shares: dict[str, dict[str, float]] = {ingress: {} for ingress in demand_per_s}
    for ingress, site, taken in reserve(shifts, left, room):
        shares[ingress][site] = taken
    pairs = sorted(
        ((rtt_ms(i, j) + sites[j].service_ms) * (home_ratio if i == j else 1.0), i, j)
        for i in demand_per_s
        for j in sites
    )
    for _, ingress, site in pairs:
        taken = min(left[ingress], room[site])
        if taken > 0.0:
            shares[ingress][site] = shares[ingress].get(site, 0.0) + taken
            left[ingress] -= taken
            room[site] -= taken
    all_slots = sum(capacity.slots for capacity in sites.values())
    for ingress, spilled in left.items():
        if spilled > 0.0 and all_slots:
            for name, capacity in sites.items():
                rate_per_s = shares[ingress].get(name, 0.0) + spilled * capacity.slots / all_slots
                # The smallest of floats, shared, is nothing.
                if rate_per_s > 0.0:
                    shares[ingress][name] = rate_per_s
    return shares
