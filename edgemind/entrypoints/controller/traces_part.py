"""What a controller's process does about traces: a finished round becomes one, where spans are exported."""

import asyncio

from edgemind import bootstrap
from edgemind.entrypoints.controller.operations_part import OperationsPart
from edgemind.ports.clock import Clock
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.rounds.round_spans import RoundSpans
from edgemind.settings import Settings

RECENT_S = 60.0
"""How long drops count as going on."""


class TracesPart:
    """`settings.telemetry` is taken up by a restart."""

    def __init__(
        self, settings: Settings, site: str, history: RoundHistory, operations: OperationsPart, clock: Clock
    ) -> None:
        self._clock = clock
        self._dropped, self._dropped_s = 0, 0.0
        self._sink = bootstrap.open_span_sink(settings, site, "controller", site)
        if self._sink is None:
            return
        history.told.append(RoundSpans(self._sink, clock).keep)
        self._others = operations.telemetry_drops
        operations.telemetry_drops = self._trouble

    async def close(self) -> None:
        if self._sink is not None:
            await asyncio.to_thread(self._sink.close)

    def _trouble(self) -> str | None:
        """Why telemetry is dropped just now, spans or what others send."""
        assert self._sink is not None
        now_s, dropped = self._clock.monotonic_s(), self._sink.dropped
        if dropped > self._dropped:
            self._dropped, self._dropped_s = dropped, now_s
        if self._dropped and now_s - self._dropped_s < RECENT_S:
            return f"{self._dropped} spans of rounds never arrived: is the receiver at telemetry.endpoint there?"
        return self._others() if self._others is not None else None
