"""A metro of controllers in one process that measure, watch for trouble and tell it, on a clock that a test moves."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from edgemind.domain.alerts.rules import RULES
from edgemind.domain.kpi import Tier
from edgemind.domain.operations.counts import SiteMeasures
from edgemind.domain.operations.observed import SiteTroubles
from edgemind.domain.operations_status import AlertPage, SeriesPage
from edgemind.entrypoints.controller.operations_routes import Operations
from edgemind.errors import UpstreamUnreachable
from edgemind.ports.alert_sink import ToldNotice
from edgemind.ports.site_operations import AlertScope
from edgemind.services.operations.gather import MetroGathering
from edgemind.services.operations.own_measures import OwnMeasures
from edgemind.services.operations.tell_alerts import AlertTelling
from edgemind.services.operations.watch_alerts import AlertRules, AlertWatch, WatchedWith
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro, metro, report, site

SITES = ("site-a", "site-b", "site-c")


class Telling(AlertTelling):
    """Only writes down what is to be told: who is told how is tested by itself."""

    def __init__(self, told: list[ToldNotice], clock: ManualClock) -> None:
        super().__init__((), clock, Random(1))
        self._told = told

    def tell(self, notices: Iterable[ToldNotice]) -> None:
        self._told.extend(notices)


@dataclass
class InProcessOperations:
    """`SiteOperations` of sites that run."""

    of: "WatchedMetro"

    async def measures(self, site: str) -> SiteMeasures:
        return self._site(site).own.measures()

    async def series(self, site: str, since_ms: int, step_ms: int) -> SeriesPage:
        return self._site(site).own.series(since_ms, step_ms)

    async def alerts(self, site: str, scope: AlertScope) -> AlertPage:
        return await self._site(site).watch.page(scope)

    def _site(self, name: str) -> Operations:
        if name not in self.of.metro.running:
            raise UpstreamUnreachable(f"no controller of {name} is running")
        return self.of.sites[name]


class WatchedMetro:
    """`troubles` are what each site finds wrong with itself; `stats` what its gateway counted."""

    def __init__(self) -> None:
        self.metro = Metro(metro(*(site(name) for name in SITES)))
        self.notices: list[ToldNotice] = []
        self.troubles = dict.fromkeys(SITES, SiteTroubles())
        self.stats: dict[str, dict[str, Any]] = {name: {} for name in SITES}
        self.sites = {name: self._start(name) for name in SITES}

    def _start(self, name: str) -> Operations:
        def controller() -> Any:
            return self.metro.controllers[name]

        clock, peers = self.metro.clock, InProcessOperations(self)
        own = OwnMeasures(controller, clock)
        gathering = MetroGathering(controller, own, lambda: peers, clock)
        telling = Telling(self.notices, clock)
        parts = WatchedWith(
            controller, lambda: peers, lambda: self.troubles[name], own, gathering, telling, clock
        )  # fmt: skip
        watch = AlertWatch(parts, AlertRules(dict(RULES), Tier.LOCAL))
        return Operations(name, own, gathering, watch, lambda: Tier.LOCAL, clock)

    def seconds(self, count: int) -> None:
        """Beacons and reports ten times a second would change nothing but the time that this takes: one a second."""
        asyncio.run(self._course(count))

    async def _course(self, count: int) -> None:
        for second in range(count):
            self.metro.clock.advance(1.0)
            for name in self.metro.running:
                self.metro.controllers[name].own.take(report(name, stats=self.stats[name]))
                self.metro.controllers[name].heartbeat.beat()
            await self.metro.exchange()
            if second % 2:
                for name, one in self.sites.items():
                    if name in self.metro.running:
                        one.own.sample()
                        await one.watch.turn()

    def told(self) -> list[tuple[str, str, str, str | None]]:
        """(site that told, change, alert, site that it is about)"""
        return [(one.by, one.notice.change.value, one.notice.alert.name, one.notice.alert.site) for one in self.notices]
