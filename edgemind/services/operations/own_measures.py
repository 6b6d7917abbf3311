"""What one controller measures by itself: its gateways' counts, its series, and how long it has heard of each site."""

from collections import deque
from collections.abc import Callable, Mapping

from edgemind.domain.membership import SiteState
from edgemind.domain.operations.counts import MINUTES, Growth, MinuteCounts, RequestCounts, SiteMeasures
from edgemind.domain.operations.series import STEP_MS, SiteHistory, Values
from edgemind.domain.operations_status import SeriesPage
from edgemind.ports.clock import Clock
from edgemind.services.site_controller import SiteController

SAMPLE_S = STEP_MS / 1000.0


class OwnMeasures:
    """For as long as the process lives; `controller` is asked for at each look: a reload may have replaced it."""

    def __init__(self, controller: Callable[[], SiteController], clock: Clock) -> None:
        self._controller = controller
        self._clock = clock
        self._began_s = self._sampled_s = clock.monotonic_s()
        self._growth = Growth()
        self._minutes = MinuteCounts(self._began_s)
        self._history = SiteHistory()
        self._registered_s: dict[str, float] = {}
        self._oldest_ms: deque[tuple[float, float]] = deque()
        self._added_ms: float | None = None

    def sample(self) -> None:
        """Every `SAMPLE_S`."""
        own, now_s = self._controller().own, self._clock.monotonic_s()
        cloud = self._controller().neighbourhood.fleet.cloud
        grown = self._growth.since_last(own.reports(), cloud.name if cloud else None)
        passed_s, self._sampled_s = now_s - self._sampled_s, now_s
        self._minutes.add(now_s, grown)
        self._added_ms = grown.added_ms_p99
        self._history.add(self._clock.wall_ms(), self._values(grown, passed_s))
        ages = self.ages_ms()
        if ages:
            self._oldest_ms.append((now_s, max(ages.values())))
        while self._oldest_ms and self._oldest_ms[0][0] <= now_s - 60.0 * MINUTES:
            self._oldest_ms.popleft()

    def measures(self) -> SiteMeasures:
        own = self._controller().own
        minutes = self._minutes.minutes(self._clock.monotonic_s())
        return SiteMeasures(own.site.name, self._clock.wall_ms(), bool(own.reports()), minutes, self._added_ms)

    def series(self, since_ms: int, step_ms: int) -> SeriesPage:
        return self._history.page(self._controller().own.site.name, since_ms, step_ms, self._clock.wall_ms())

    def ages_ms(self) -> dict[str, float]:
        """Of every other site with a controller, the age of its newest report: its beacon's answer or its heartbeat.

        Who was never heard of is as old as this process. A site too far for beacons is left out while the registry does
        not answer: nothing is known of it then.
        """
        controller, now_s = self._controller(), self._clock.monotonic_s()
        around, registry, ages = controller.neighbourhood, controller.heartbeat, {}
        for site in around.fleet.sites:
            if site.controller_url is None or site.name == controller.own.site.name:
                continue
            heartbeat_ms, neighbour = registry.age_ms(site.name), around.neighbours.get(site.name)
            if heartbeat_ms is not None:
                self._registered_s[site.name] = now_s - heartbeat_ms / 1000.0
            if neighbour is None and not registry.status.ok:
                continue
            # Who left the registry is as old as its last entry that was seen here.
            known = [(now_s - self._registered_s.get(site.name, self._began_s)) * 1000.0]
            if neighbour is not None and neighbour.beacon is not None:
                known.append((now_s - neighbour.beacon_s) * 1000.0)
            ages[site.name] = max(0.0, min(known))
        return ages

    def all_ages_ms(self) -> dict[str, float]:
        """The same with the own site, which is always fresh: whoever told that it is down has to see that it is not."""
        own = self._controller().own.site
        return {**self.ages_ms(), own.name: 0.0} if own.controller_url is not None else self.ages_ms()

    def age_trend(self) -> list[float | None]:
        """The oldest report of each of the last minutes, the oldest minute first."""
        now_s, worst = self._clock.monotonic_s(), list[float | None]([None] * MINUTES)
        for at_s, age_ms in self._oldest_ms:
            place = MINUTES - 1 - int((now_s - at_s) // 60.0)
            if place >= 0:
                worst[place] = round(max(age_ms, worst[place] or 0.0), 1)
        return worst

    def live(self) -> set[str]:
        """Sites whose controllers can be asked, this one included."""
        controller, now_s = self._controller(), self._clock.monotonic_s()
        return {
            site.name
            for site in controller.neighbourhood.fleet.sites
            if site.controller_url and (site.name == controller.own.site.name or _is_up(controller, site.name, now_s))
        }

    def _values(self, grown: RequestCounts, passed_s: float) -> Values:
        own = self._controller().own
        if not own.reports():
            return {}
        loads: Mapping[str, tuple[int, int]] = {name: (one.in_flight, one.slots) for name, one in own.loads().items()}
        in_flight, slots = (sum(pair[place] for pair in loads.values()) for place in (0, 1))
        return {
            "requests_per_s": grown.requests / passed_s if passed_s > 0.0 else None,
            "in_flight": float(in_flight),
            "busy_ratio": min(1.0, in_flight / slots) if slots else None,
            "added_ms_p99": grown.added_ms_p99,
            "shed_per_s": grown.shed / passed_s if passed_s > 0.0 else None,
        }


def _is_up(controller: SiteController, site: str, now_s: float) -> bool:
    state = controller.neighbourhood.state(site, now_s)
    if state is None:
        # Too far for beacons: the registry is all there is to go by.
        return controller.heartbeat.age_ms(site) is not None
    return state in {SiteState.ALIVE, SiteState.DRAINING}
