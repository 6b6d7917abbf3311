"""A document of metrics a minute, of what the controller counts anyway. A sink that is slow or gone costs nobody."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.monitoring.emf import PERIOD_S, Values, emf_document
from edgemind.domain.operations.counts import RequestCounts, SiteMeasures
from edgemind.domain.swarm.pace import TARGET_MS
from edgemind.errors import EdgeMindError
from edgemind.ports.clock import Clock
from edgemind.ports.metric_sink import MetricSink
from edgemind.services.rounds.round_counts import DECIDED_KEPT, LEFT, RoundCounts

WRITE_EVERY_S = float(PERIOD_S)

log = logging.getLogger("edgemind.telemetry")


@dataclass(frozen=True, slots=True)
class Measured:
    """Asked once a minute. `swarm` is None where the site takes part in no rounds."""

    measures: Callable[[], SiteMeasures]
    ages_ms: Callable[[], Mapping[str, float]]
    swarm: Callable[[], SwarmStatus | None]
    registry_ok: Callable[[], bool]
    rounds: RoundCounts


class MetricWriting:
    """`dropped` counts documents that were not written. Lives on one event loop; the sink is called in a thread."""

    def __init__(self, metro: str, sink: MetricSink, measured: Measured, clock: Clock) -> None:
        self._metro, self._sink, self._measured, self._clock = metro, sink, measured, clock
        self._writing: asyncio.Task[None] | None = None
        self._rounds_told = self._dropped_told = 0
        self._decided_ms: list[float] = []
        """Of rounds that no written document has told yet."""
        self.dropped = 0
        self.trouble: str | None = None
        """Why the last document was not written."""

    def turn(self) -> None:
        """To be called every `WRITE_EVERY_S`; returns at once."""
        if self._writing is not None and not self._writing.done():
            self._drop("the one before is still on its way")
            return
        measures = self._measured.measures()
        rounds = self._measured.rounds
        ended = sum(rounds.outcomes.values()) - rounds.outcomes[LEFT]
        self._decided_ms = [*self._decided_ms, *rounds.take_decided()][-DECIDED_KEPT:]
        document = emf_document(self._metro, measures.site, self._clock.wall_ms(), self._values(measures, ended))
        self._writing = asyncio.create_task(self._write(document, ended, self.dropped))

    async def close(self) -> None:
        """What is on its way may get there or not: nobody waits for it."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self, document: Mapping[str, object], ended: int, dropped: int) -> None:
        """What happened once, a round or a drop, is told by the first document that arrives."""
        try:
            await asyncio.to_thread(self._sink.write, document)
        except EdgeMindError as exc:
            self._drop(str(exc))
        except Exception as exc:
            # The edge of telemetry: a defect there costs a minute's metrics.
            log.debug("a document of metrics was not written", exc_info=True)
            self._drop(f"{type(exc).__name__}: {exc}")
        else:
            if self.trouble is not None:
                log.info("metrics are written again; %d documents were dropped", self.dropped)
            self.trouble = None
            self._rounds_told, self._dropped_told, self._decided_ms = ended, dropped, []

    def _drop(self, why: str) -> None:
        self.dropped += 1
        if self.trouble is None:
            log.warning("metrics are not written, and dropped meanwhile: %s", why)
        self.trouble = why

    def _values(self, measures: SiteMeasures, ended: int) -> Values:
        ages, swarm = self._measured.ages_ms(), self._measured.swarm()
        return {
            **_requests(measures.minutes[-1] if measures.minutes else None),
            "rounds": float(ended - self._rounds_told),
            "rounds_in_time": float(sum(ms <= TARGET_MS for ms in self._decided_ms)),
            "round_decided": tuple(self._decided_ms),
            "store_up": float(self._measured.registry_ok() and (swarm is None or swarm.store_ok)),
            "telemetry_dropped": float(self.dropped - self._dropped_told),
            **({"oldest_report": max(ages.values())} if ages else {}),
        }


def _requests(minute: RequestCounts | None) -> dict[str, float]:
    if minute is None:
        return {}
    counted = {name: float(count) for name, count in minute.named().items()}
    return counted if minute.added_ms_p99 is None else {**counted, "added_latency_p99": minute.added_ms_p99}
