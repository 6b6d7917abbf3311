"""The fleet's alerts of this run, as the fleet API tells them: each is said when it fires and when it is over."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from edgemind.domain.operations_status import AlertPage, AlertState, AlertStatus

READ_EVERY_S = 1.0


class AlertSource(Protocol):
    """`FleetApi`, or whoever else tells of alerts."""

    async def alerts(self) -> AlertPage | None:
        """Everybody's; None if nobody answers."""


class AlertWatch:
    """`say` gets a line for every alert that fires from now on, and for its end."""

    def __init__(self, source: AlertSource, say: Callable[[str], None]) -> None:
        self._source = source
        self._say = say
        self._told: dict[str, AlertStatus] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(READ_EVERY_S)

    async def read(self) -> None:
        page = await self._source.alerts()
        for alert in page.alerts if page is not None else ():
            known = self._told.get(alert.id)
            if alert.state is AlertState.PENDING or (known is not None and known.state is AlertState.RESOLVED):
                continue
            self._told[alert.id] = alert
            if known is None or known.state is not alert.state or known.level is not alert.level:
                self._say(alert_line(alert))

    def document(self) -> list[dict[str, object]]:
        """For the report, the oldest first."""
        return [asdict(alert) for alert in sorted(self._told.values(), key=lambda one: (one.since_ms, one.id))]


def alert_line(alert: AlertStatus) -> str:
    """`alert: critical: site-b has told nothing for 7.2 s (docs/runbooks/...)`"""
    if alert.state is AlertState.RESOLVED:
        of = f" of {alert.site}" if alert.site is not None else ""
        return f"alert: {alert.name}{of} is over"
    return f"alert: {alert.level.value}: {alert.text} (docs/{alert.runbook})"
