"""What a controller's process does beside routing tables: parts that start, take up new settings, and end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.routing import Route

from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.entrypoints.controller.about_routes import AboutRoutes
from edgemind.entrypoints.controller.access import AccessRules
from edgemind.entrypoints.controller.advice_part import AdvicePart
from edgemind.entrypoints.controller.agents_part import AgentsPart
from edgemind.entrypoints.controller.audit_routes import AuditRoutes
from edgemind.entrypoints.controller.metrics import MetricSources
from edgemind.entrypoints.controller.metrics_part import MetricsPart
from edgemind.entrypoints.controller.operations_part import OperationsPart
from edgemind.entrypoints.controller.operations_routes import OperationsRoutes
from edgemind.entrypoints.controller.rounds_part import RoundsPart
from edgemind.entrypoints.controller.route_sets import RouteSet
from edgemind.entrypoints.controller.traces_part import TracesPart
from edgemind.ports.audit_journal import SiteAudit
from edgemind.ports.clock import Clock
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.site_controller import SiteController
from edgemind.settings import ConfigWatcher, Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What parts find in their process; what a reload replaces is asked for."""

    site: str
    controller: Callable[[], SiteController]
    access: Callable[[], AccessRules]
    watcher: ConfigWatcher
    history: RoundHistory
    audit: SiteAudit
    pools: UpstreamPools
    clock: Clock


class ControllerParts:
    """Made inside the event loop that runs it; `rounds` decides and carries out, the others never touch a round."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        site, controller, clock = around.site, around.controller, around.clock
        self._controller = controller
        self.audit = around.audit
        self.rounds = RoundsPart(settings, controller, around.history, around.pools, clock)
        self.advice = AdvicePart(settings, site, lambda: around.watcher.current, controller, clock, self.audit)
        self.operations = OperationsPart(settings, controller, around.pools, clock, lambda: around.watcher.last_error)
        self.operations.audit_broken = lambda: self.audit.status.trouble
        ages_ms = self.operations.operations.own.ages_ms
        sources = MetricSources(controller, lambda: self.rounds.rounds, around.history.counts, ages_ms, clock)
        self.metrics = MetricsPart(settings, sources, self.operations, around.access)
        self.traces = TracesPart(settings, site, around.history, self.operations, clock)
        self.agents = AgentsPart(settings, controller, around.history, lambda: self.audit, clock)
        self.advice.advice.accepted = self.agents.advice_accepted

        self._about = AboutRoutes(lambda: around.watcher.current)

    def route_sets(self) -> list[RouteSet]:
        return [
            self.advice.routes,
            OperationsRoutes(lambda: self.operations.operations),
            *self.agents.route_sets(),
            AuditRoutes(self._controller),
            self._about,
        ]

    def bare_routes(self) -> list[Route]:
        """Those that come before the fleet API."""
        return [self.metrics.route()]

    def start(self, use_present: Callable[[], Awaitable[None]]) -> list[asyncio.Task[None]]:
        """`use_present` takes up the settings as they now are, as a reload does."""
        return [
            *self.rounds.start(),
            self.advice.start(use_present),
            *self.operations.start(),
            *self.metrics.start(),
        ]

    async def use(self, settings: Settings) -> None:
        """Go on with another configuration's controller."""
        self.rounds.use(settings)
        await self.operations.use(settings)

    async def close(self) -> None:
        await self.rounds.close()
        await self.operations.close()
        await self.metrics.close()
        await self.traces.close()
        await self.agents.close()
