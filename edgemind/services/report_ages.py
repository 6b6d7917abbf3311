"""How long ago each of the other sites was heard of here: by its beacon or by its heartbeat, whichever is newer."""

from collections.abc import Iterable

from edgemind.ports.clock import Clock
from edgemind.services.heartbeat import Heartbeat
from edgemind.services.neighbourhood import Neighbour, Neighbourhood


class ReportAges:
    """A site never heard of is as old as this process: that it is missing must not look like no site at all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_s = clock.monotonic_s()

    def ages_ms(self, around: Neighbourhood, heartbeat: Heartbeat, roster: Iterable[str] = ()) -> dict[str, float]:
        """By site: those with a controller of their own, declared or in the roster, but for this one.

        A site too far for beacons is left out while the registry does not answer: nothing is known of it then.
        """
        now_s = self._clock.monotonic_s()
        declared = {site.name for site in around.fleet.sites if site.controller_url}
        ages = {}
        for site in sorted(({*declared, *roster}) - {around.own.name}):
            neighbour = around.neighbours.get(site)
            if neighbour is None and not heartbeat.status.ok:
                continue
            seen = [age for age in (_beacon_age_ms(neighbour, now_s), heartbeat.age_ms(site)) if age is not None]
            ages[site] = min(seen, default=(now_s - self._started_s) * 1000.0)
        return ages


def _beacon_age_ms(neighbour: Neighbour | None, now_s: float) -> float | None:
    if neighbour is None or neighbour.beacon is None:
        return None
    return max(0.0, now_s - neighbour.beacon_s) * 1000.0
