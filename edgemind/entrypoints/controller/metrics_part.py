"""What a controller's process does about metrics: they are exposed for Prometheus, and written for CloudWatch."""

import asyncio
from collections.abc import Callable

from starlette.routing import Route

from edgemind.bootstrap import metrics as metric_sinks
from edgemind.domain.fleet_status import SwarmStatus
from edgemind.entrypoints.controller.access import AccessRules
from edgemind.entrypoints.controller.loops import supervise
from edgemind.entrypoints.controller.metrics import MetricSources, MetricsRoute
from edgemind.entrypoints.controller.operations_part import OperationsPart
from edgemind.services.operations.write_metrics import WRITE_EVERY_S, Measured, MetricWriting
from edgemind.settings import Settings


class MetricsPart:
    """`settings.metrics` is taken up by a restart."""

    def __init__(
        self, settings: Settings, sources: MetricSources, operations: OperationsPart, access: Callable[[], AccessRules]
    ) -> None:
        self._route = MetricsRoute(sources, access)
        self._sources = sources
        self.writing: MetricWriting | None = None
        sink = metric_sinks.open_metric_sink(settings, sources.controller().own.site.name)
        if sink is not None:
            measured = Measured(
                operations.operations.own.measures,
                sources.ages_ms,
                self._swarm,
                lambda: sources.controller().heartbeat.status.ok,
                sources.counts,
            )
            self.writing = MetricWriting(settings.metro, sink, measured, sources.clock)
            operations.telemetry_drops = self._trouble

    def route(self) -> Route:
        return self._route.route()

    def start(self) -> list[asyncio.Task[None]]:
        if self.writing is None:
            return []
        return [asyncio.create_task(supervise("the writing of metrics", lambda: WRITE_EVERY_S, self._turn))]

    async def close(self) -> None:
        if self.writing is not None:
            await self.writing.close()

    def _swarm(self) -> SwarmStatus | None:
        rounds = self._sources.rounds()
        return None if rounds is None else rounds.status

    def _trouble(self) -> str | None:
        """Why metrics are dropped just now."""
        return self.writing.trouble if self.writing is not None else None

    async def _turn(self) -> None:
        if self.writing is not None:
            self.writing.turn()
