"""The routing table of one ingress, every tick, from what the sites in reach report."""

from collections.abc import Callable, Iterable

from edgemind.domain.routing.table import Capacity, RoutingTable, water_fill
from edgemind.services.neighbourhood import SiteLoad

IDLE_DEMAND_PER_S = 0.01
"""What an ingress counts for while nobody asks it: its row then says where the first request should go."""


class TableComputer:
    """Computes the table of `ingress` and keeps the latest one."""

    def __init__(self, ingress: str, fill_ratio: float) -> None:
        self._ingress = ingress
        self._fill_ratio = fill_ratio
        self.latest: RoutingTable | None = None

    def compute(self, loads: Iterable[SiteLoad], rtt_ms: Callable[[str, str], float], now_ms: int) -> RoutingTable:
        """A new table from `loads` (the own site's among them). `now_ms` is wall time.

        Versions are times, so that they also grow from one start of the controller to the next.
        """
        rows = fill_tables(list(loads), rtt_ms, self._fill_ratio)
        weights = {model: shares[self._ingress] for model, shares in rows.items() if shares.get(self._ingress)}
        version = max(now_ms, self.latest.version + 1 if self.latest else 0)
        self.latest = RoutingTable(version, now_ms, weights)
        return self.latest


def fill_tables(
    loads: list[SiteLoad], rtt_ms: Callable[[str, str], float], fill_ratio: float
) -> dict[str, dict[str, dict[str, float]]]:
    """Model -> ingress -> site -> requests per second, for every ingress in `loads`.

    The whole table, although an ingress needs only its row: each controller shares out the same capacity, and equal
    loads and distances give equal tables everywhere, so that nobody has to agree with anybody. Draining sites and
    models that are not ready have no capacity; their devices' demand still counts, for it has to go somewhere.
    """
    by_name = sorted(loads, key=lambda load: load.site)
    tables = {}
    for model in sorted({model for load in by_name for model in load.models}):
        capacities = [
            Capacity(load.site, load.models[model].slots, load.models[model].service_ms)
            for load in by_name
            if model in load.models and load.models[model].has_capacity and not load.draining
        ]
        if capacities:
            demand_per_s = {load.site: _demand_per_s(load, model) for load in by_name}
            shifts = {load.site: shift for load in by_name for shift in load.shifts if shift.model == model}
            tables[model] = water_fill(demand_per_s, capacities, rtt_ms, fill_ratio, shifts=shifts)
    return tables


def _demand_per_s(load: SiteLoad, model: str) -> float:
    asked = load.models.get(model)
    return max(IDLE_DEMAND_PER_S, asked.arrivals_per_s if asked else 0.0)
