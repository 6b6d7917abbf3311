"""The metro from what its controllers measured: whoever is asked, asks the others."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from edgemind.domain.alerts.pages import worst_first
from edgemind.domain.operations.metro import MetroMeasures
from edgemind.domain.operations.series import joined
from edgemind.domain.operations_status import AlertStatus, SeriesPage
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.site_operations import AlertScope, SiteOperations
from edgemind.services.operations.own_measures import OwnMeasures
from edgemind.services.site_controller import SiteController

KEPT_S = 1.5
"""How long an answer of the metro does for everybody who asks: less than the interval at which pages ask."""
ROUNDS_LIMIT = 100
_Told = TypeVar("_Told")


class MetroGathering:
    """`peers` is asked for at each use: a reload may have replaced it."""

    def __init__(
        self,
        controller: Callable[[], SiteController],
        own: OwnMeasures,
        peers: Callable[[], SiteOperations],
        clock: Clock,
    ) -> None:
        self._controller = controller
        self._own = own
        self._peers = peers
        self._clock = clock
        self._measures: tuple[float, MetroMeasures] | None = None
        self._one_asks = asyncio.Lock()

    async def measures(self) -> MetroMeasures:
        """At most `KEPT_S` old. Who asks while others are being asked waits for the same answer."""
        async with self._one_asks:
            now_s = self._clock.monotonic_s()
            kept = self._measures
            if kept is not None and now_s - kept[0] < KEPT_S:
                return kept[1]
            measures = await self._ask()
            self._measures = now_s, measures
            return measures

    async def series(self, since_ms: int, step_ms: int) -> SeriesPage:
        own = self._own.series(since_ms, step_ms)
        pages, silent = await self._all(lambda site: self._peers().series(site, since_ms, step_ms))
        return joined(own, pages, silent)

    async def alerts(self, own: list[AlertStatus], limit: int) -> tuple[list[AlertStatus], list[str]]:
        """`own` and what the other sites tell, and the sites that did not answer."""
        pages, silent = await self._all(lambda site: self._peers().alerts(site, AlertScope.SITE))
        return worst_first([*own, *(alert for page in pages for alert in page.alerts)], limit), silent

    async def _ask(self) -> MetroMeasures:
        rounds, (sites, silent) = await asyncio.gather(
            self._controller().rounds.fleet_page(ROUNDS_LIMIT, None),
            self._all(lambda site: self._peers().measures(site)),
        )
        return MetroMeasures(
            sites=[self._own.measures(), *sites],
            rounds=rounds.rounds,
            ages_ms=self._own.all_ages_ms(),
            age_trend=self._own.age_trend(),
            wall_ms=self._clock.wall_ms(),
            unreachable=sorted({*silent, *rounds.unreachable}),
        )

    async def _all(self, ask: Callable[[str], Awaitable[_Told]]) -> tuple[list[_Told], list[str]]:
        """What every other site answered, and the names of those that did not."""
        controller, live = self._controller(), self._own.live()
        names = [site.name for site in controller.neighbourhood.fleet.sites if site.controller_url]
        others = [name for name in names if name != controller.own.site.name]
        answers = await asyncio.gather(*(_answer(ask, name) for name in others if name in live))
        told = dict(zip((name for name in others if name in live), answers, strict=True))
        found = [answer for answer in told.values() if answer is not None]
        return found, [name for name in others if told.get(name) is None]


async def _answer(ask: Callable[[str], Awaitable[_Told]], site: str) -> _Told | None:
    try:
        return await ask(site)
    except (TemporaryError, PermanentError):
        return None
