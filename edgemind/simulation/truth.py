"""The present state of everything, which no gateway can know: what the oracle decides with."""

from collections.abc import Callable, Sequence
from operator import add

from edgemind.domain.routing.cost import routing_cost_ms
from edgemind.simulation.network import RttMs


class Truth:
    """Every request that is under way to a site or at it, whoever sent it, and how fast each site serves just now."""

    def __init__(self, rtt_ms: RttMs, slots: Sequence[int], service_ms_at: Callable[[int, float], float]) -> None:
        self._rtt_ms = rtt_ms
        self._slots = slots
        self._service_ms_at = service_ms_at
        self.under_way = [0] * len(slots)
        self._costs_ms = [service_ms_at(site, 0.0) for site in range(len(slots))]

    def sent(self, site: int, now_ms: float) -> None:
        self.under_way[site] += 1
        self.refresh(site, now_ms)

    def finished(self, site: int, now_ms: float) -> None:
        self.under_way[site] -= 1
        self.refresh(site, now_ms)

    def refresh(self, site: int, now_ms: float) -> None:
        service_ms = self._service_ms_at(site, now_ms)
        self._costs_ms[site] = routing_cost_ms(0.0, service_ms, self.under_way[site], self._slots[site])

    def best_site(self, ingress: int) -> int:
        """The site of the least cost from an ingress, by the very rule that gateways follow with what they believe."""
        costs_ms = list(map(add, self._rtt_ms[ingress], self._costs_ms))
        return costs_ms.index(min(costs_ms))
