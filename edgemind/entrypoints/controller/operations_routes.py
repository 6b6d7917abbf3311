"""The fleet API's part for operators: KPIs against their targets, alerts, and series."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from edgemind.domain.kpi import Tier
from edgemind.domain.operations.counts import SiteMeasures
from edgemind.domain.operations.metro import metro_kpis, statuses
from edgemind.domain.operations.series import DEFAULT_STEP_MS, STEP_LIMIT_MS, STEP_MS
from edgemind.domain.operations_status import AlertPage, KpiList, SeriesPage
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.ports.clock import Clock
from edgemind.ports.site_operations import AlertScope
from edgemind.services.operations.gather import MetroGathering
from edgemind.services.operations.own_measures import OwnMeasures
from edgemind.services.operations.watch_alerts import AlertWatch


@dataclass(frozen=True, slots=True)
class Operations:
    """What the routes ask. `tier` is asked for at each request: a reload may have changed it."""

    site: str
    own: OwnMeasures
    gathering: MetroGathering
    watch: AlertWatch
    tier: Callable[[], Tier]
    clock: Clock


class OperationsRoutes:
    """`operations` is asked for at each request: the document of the API is made without any."""

    def __init__(self, operations: Callable[[], Operations]) -> None:
        self._operations = operations

    def add(self, verbs: Verbs) -> None:
        verbs.get("/kpis", self.kpis, response_model=KpiList)
        verbs.get("/alerts", self.alerts, response_model=AlertPage)
        verbs.get("/series", self.series, response_model=SeriesPage)
        verbs.get("/measures", self.measures, response_model=SiteMeasures)

    async def kpis(self) -> KpiList:
        """Every KPI of the catalogue as the metro's controllers measure it, against the targets of this fleet's tier.

        What a controller cannot know has no value, and says why.
        """
        part = self._operations()
        measured = metro_kpis(await part.gathering.measures())
        tier = part.tier()
        return KpiList(tier, part.site, part.clock.wall_ms(), "live, by the controllers", statuses(measured, tier))

    async def alerts(
        self,
        scope: Annotated[
            AlertScope,
            Query(description="All; those that this site tells; those of the metro, as this site knows them."),
        ] = AlertScope.FLEET,
    ) -> AlertPage:
        """Alerts that are pending, firing or lately resolved: firing ones first, the worst level first."""
        return await self._operations().watch.page(scope)

    async def series(
        self,
        since: Annotated[
            int, Query(ge=0, description="Wall time in ms: only steps that end later. 0: the last 15 minutes.")
        ] = 0,
        step_ms: Annotated[
            int, Query(ge=STEP_MS, le=STEP_LIMIT_MS, description=f"Length of a step; a multiple of {STEP_MS}.")
        ] = DEFAULT_STEP_MS,
        scope: Annotated[str, Query(pattern="^(fleet|site)$", description="Every site, or this one.")] = "fleet",
    ) -> SeriesPage:
        """What each site did, step by step. Ask again with `since` = first_ms + (steps - 1) * step_ms for what is new.

        Steps lie at multiples of `step_ms` of wall time; only whole ones are told.
        """
        if step_ms % STEP_MS:
            message = f"step_ms is {step_ms}; it must be a multiple of {STEP_MS}"
            raise ApiRefusal(400, "invalid_request_error", "invalid_parameter", message, "step_ms")
        part = self._operations()
        return part.own.series(since, step_ms) if scope == "site" else await part.gathering.series(since, step_ms)

    async def measures(self) -> SiteMeasures:
        """What this site's gateways counted, minute by minute: what the metro's KPIs are added up from."""
        return self._operations().own.measures()
