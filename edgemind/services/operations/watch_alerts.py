"""One site's part in the metro's alerts: it watches itself, and the metro if it is the one that tells."""

from collections.abc import Callable
from dataclasses import dataclass

from edgemind.domain.alerts.desk import MetroDesk
from edgemind.domain.alerts.engine import AlertEngine, Notice, Observation
from edgemind.domain.alerts.pages import worst_first
from edgemind.domain.alerts.rules import AlertRule
from edgemind.domain.kpi import Tier
from edgemind.domain.operations.metro import metro_kpis
from edgemind.domain.operations.observed import SiteTroubles, of_kpis, of_reports, of_site
from edgemind.domain.operations_status import AlertPage, AlertStatus
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.alert_sink import ToldNotice
from edgemind.ports.clock import Clock
from edgemind.ports.site_operations import AlertScope, SiteOperations
from edgemind.services.operations.gather import MetroGathering
from edgemind.services.operations.own_measures import OwnMeasures
from edgemind.services.operations.tell_alerts import AlertTelling
from edgemind.services.site_controller import SiteController

TURN_S = 2.0
GATHER_S = 5.0
"""How often the one that tells asks all sites what they counted: a window of minutes moves slowly."""
PAGE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class AlertRules:
    """`rules` by name."""

    rules: dict[str, AlertRule]
    tier: Tier


@dataclass(frozen=True, slots=True)
class WatchedWith:
    """What a watch needs; the callables are asked at each use: a reload may have replaced what they give."""

    controller: Callable[[], SiteController]
    peers: Callable[[], SiteOperations]
    troubles: Callable[[], SiteTroubles]
    own: OwnMeasures
    gathering: MetroGathering
    telling: AlertTelling
    clock: Clock


class AlertWatch:
    """Lives as long as the process, on its event loop."""

    def __init__(self, parts: WatchedWith, rules: AlertRules) -> None:
        self._parts = parts
        self._site = parts.controller().own.site.name
        self._own = AlertEngine(rules.rules)
        self._desk = MetroDesk(self._site, rules.rules)
        self._tier = rules.tier
        self._gathered_s: float | None = None
        self._kpis: list[Observation] = []
        self._teller: str | None = None

    def use(self, rules: AlertRules) -> None:
        """Other times and limits from now on; what fires goes on firing."""
        self._own.rules = rules.rules
        self._desk.use(rules.rules)
        self._tier = rules.tier

    async def turn(self) -> None:
        """One look. Asks other sites and waits at most as long as one answer may take."""
        parts, clock = self._parts, self._parts.clock
        around = parts.controller().neighbourhood
        sites = {site.name for site in around.fleet.sites}
        seen = of_site(self._site, parts.troubles())
        notices = self._own.step(seen, sites, clock.monotonic_s(), clock.wall_ms())
        # Who does not know yet who is there would tell of sites that are only slow to be heard.
        if around.settled(clock.monotonic_s()):
            notices += await self._of_metro(sites)
        self._tell(notices)

    async def _of_metro(self, sites: set[str]) -> list[Notice]:
        parts, clock, desk = self._parts, self._parts.clock, self._desk
        asked = desk.asks(parts.own.live(), clock.monotonic_s())
        if asked is not None:
            try:
                page = await parts.peers().alerts(asked, AlertScope.METRO)
                self._heard(asked, page)
            except TemporaryError:
                desk.heard(asked, None, clock.monotonic_s())
            except PermanentError:
                desk.refused(asked, clock.monotonic_s())
        self._teller = self._site if desk.telling else asked
        if desk.watching:
            await self._gather()
        seen = [*of_reports(parts.own.all_ages_ms(), self._tier), *self._kpis]
        return desk.step(seen, sites, clock.monotonic_s(), clock.wall_ms())

    def _heard(self, asked: str, page: AlertPage) -> None:
        """A site that joined later may not know every place that is to be told: then this one tells."""
        now_s = self._parts.clock.monotonic_s()
        places, theirs = ({sink.name for sink in sinks} for sinks in (self._parts.telling.status(), page.sinks))
        if places <= theirs or asked > self._site:
            self._desk.heard(asked, page.alerts, now_s)
        else:
            self._desk.refused(asked, now_s)

    async def _gather(self) -> None:
        now_s = self._parts.clock.monotonic_s()
        if self._gathered_s is None or now_s - self._gathered_s >= GATHER_S:
            self._gathered_s = now_s
            measures = await self._parts.gathering.measures()
            self._kpis = of_kpis(metro_kpis(measures), self._tier)

    def _tell(self, notices: list[Notice]) -> None:
        metro, at_ms = self._parts.controller().neighbourhood.fleet.metro, self._parts.clock.wall_ms()
        self._parts.telling.tell(ToldNotice(notice, metro, self._site, at_ms) for notice in notices)

    # For whoever asks

    async def page(self, scope: AlertScope) -> AlertPage:
        own: list[AlertStatus] = self._own.alerts()
        silent: list[str] = []
        match scope:
            case AlertScope.SITE:
                found = worst_first([*own, *self._desk.told_here()], PAGE_LIMIT)
            case AlertScope.METRO:
                found = worst_first(self._desk.alerts(), PAGE_LIMIT)
            case AlertScope.FLEET:
                found, silent = await self._parts.gathering.alerts([*self._desk.alerts(), *own], PAGE_LIMIT)
        return AlertPage(found, silent, self._teller, self._parts.telling.status())
