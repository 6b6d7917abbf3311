"""What a controller's process does for operators: it measures, watches for trouble, and tells somebody."""

import asyncio
import logging
from collections.abc import Callable
from random import Random

from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.bootstrap.operations import alert_routes, site_operations
from edgemind.domain.operations.observed import SiteTroubles
from edgemind.entrypoints.controller.loops import supervise
from edgemind.entrypoints.controller.operations_routes import Operations
from edgemind.errors import ConfigurationError
from edgemind.ports.clock import Clock
from edgemind.services.operations.gather import MetroGathering
from edgemind.services.operations.own_measures import SAMPLE_S, OwnMeasures
from edgemind.services.operations.tell_alerts import AlertTelling
from edgemind.services.operations.watch_alerts import TURN_S, AlertRules, AlertWatch, WatchedWith
from edgemind.services.site_controller import SiteController
from edgemind.settings import Settings

Trouble = Callable[[], str | None]
"""What is wrong, in words; None: nothing."""

log = logging.getLogger("edgemind.controller")


class OperationsPart:
    """`config_refused` tells why a changed configuration is not in force.

    Whoever keeps the audit journal or sends telemetry sets `audit_broken` and `telemetry_drops`; while they are None,
    nobody can tell, and their alerts do not fire.
    """

    def __init__(
        self,
        settings: Settings,
        controller: Callable[[], SiteController],
        pools: UpstreamPools,
        clock: Clock,
        config_refused: Trouble,
    ) -> None:
        self._controller, self._pools, self._clock = controller, pools, clock
        self._config_refused = config_refused
        self.audit_broken: Trouble | None = None
        self.telemetry_drops: Trouble | None = None
        self._settings = settings
        self._peers = site_operations(settings, pools)
        # Only spreads repeated tries; nothing depends on what it gives.
        self._telling = AlertTelling(alert_routes(settings, pools, clock), clock, Random())
        own = OwnMeasures(controller, clock)
        gathering = MetroGathering(controller, own, lambda: self._peers, clock)
        parts = WatchedWith(
            controller, lambda: self._peers, self._troubles, own, gathering, self._telling, clock
        )  # fmt: skip
        watch = AlertWatch(parts, _rules(settings))
        site = controller().own.site.name
        self.operations = Operations(site, own, gathering, watch, lambda: self._settings.operations.tier, clock)

    def start(self) -> list[asyncio.Task[None]]:
        self._telling.start()
        return [
            asyncio.create_task(supervise("the site's measures", lambda: SAMPLE_S, self._sample)),
            asyncio.create_task(supervise("the look for alerts", lambda: TURN_S, self.operations.watch.turn)),
        ]

    async def use(self, settings: Settings) -> None:
        """Go on with another configuration; what fires goes on firing."""
        before, self._settings = self._settings, settings
        self._peers = site_operations(settings, self._pools)
        self.operations.watch.use(_rules(settings))
        if settings.operations != before.operations:
            try:
                routes = alert_routes(settings, self._pools, self._clock)
            except ConfigurationError as exc:
                log.error("alerts are told where they were before: %s", exc)
            else:
                await self._telling.use(routes)

    async def close(self) -> None:
        await self._telling.close()

    async def _sample(self) -> None:
        self.operations.own.sample()

    def _troubles(self) -> SiteTroubles:
        sources = {"audit_broken": self.audit_broken, "telemetry_drops": self.telemetry_drops}
        return SiteTroubles(
            config_refused=self._config_refused(),
            store_unreachable=self._store_trouble(),
            audit_broken=_asked(self.audit_broken),
            telemetry_drops=_asked(self.telemetry_drops),
            unknown=frozenset(name for name, source in sources.items() if source is None),
        )

    def _store_trouble(self) -> str | None:
        controller = self._controller()
        store, swarm = controller.heartbeat.status, controller.view.swarm()
        if not store.ok:
            return store.last_error
        return swarm.last_error if swarm is not None and not swarm.store_ok else None


def _asked(source: Trouble | None) -> str | None:
    return source() if source is not None else None


def _rules(settings: Settings) -> AlertRules:
    return AlertRules(dict(settings.operations.rules()), settings.operations.tier)
