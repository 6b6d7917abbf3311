"""Notices to every place that wants them, each at its own pace: one that is down or slow holds up nobody."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from edgemind.domain.alerts.backoff import Backoff
from edgemind.domain.kpi import Level
from edgemind.domain.operations_status import SinkStatus
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.alert_sink import AlertSink, ToldNotice
from edgemind.ports.clock import Clock

WAITING_LIMIT = 100
"""Notices that wait for one place; beyond it the oldest is given up: the newest say how things stand."""
Sleep = Callable[[float], Awaitable[None]]

log = logging.getLogger("edgemind.alerts")


@dataclass(frozen=True, slots=True)
class SinkRoute:
    """A place under its name, and the levels it wants."""

    name: str
    sink: AlertSink
    levels: frozenset[Level]


@dataclass(slots=True)
class _Line:
    """What waits for one place, in order, and how it went so far."""

    route: SinkRoute
    waiting: deque[ToldNotice] = field(default_factory=deque)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    told: int = 0
    failures: int = 0
    lost: int = 0
    last_error: str | None = None

    def add(self, told: ToldNotice) -> None:
        if told.notice.concerns & self.route.levels:
            self.waiting.append(told)
            if len(self.waiting) > WAITING_LIMIT:
                self.waiting.popleft()
                self.lost += 1
            self.more.set()

    def status(self) -> SinkStatus:
        ok, waiting = self.last_error is None, len(self.waiting)
        return SinkStatus(self.route.name, ok, self.told, self.failures, self.lost, waiting, self.last_error)

    def succeeded(self) -> None:
        self.told += 1
        if self.last_error is not None:
            log.info("alerts reach %s again", self.route.name)
        self.last_error = None

    def failed(self, exc: Exception) -> None:
        """Told once, until it works again."""
        self.failures += 1
        if self.last_error is None:
            log.warning("alerts do not reach %s: %s", self.route.name, exc)
        self.last_error = str(exc)[:300]


class AlertTelling:
    """Built and used on one event loop."""

    def __init__(
        self,
        routes: Sequence[SinkRoute],
        clock: Clock,
        rng: Random,
        backoff: Backoff | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._clock, self._rng, self._sleep = clock, rng, sleep
        self._backoff = backoff or Backoff()
        self._lines: list[_Line] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._running = False
        self._lines = [_Line(route) for route in routes]

    def start(self) -> None:
        self._running = True
        self._tasks = [
            asyncio.create_task(self._run(line), name=f"alerts to {line.route.name}") for line in self._lines
        ]

    async def use(self, routes: Sequence[SinkRoute]) -> None:
        """Other places from now on; what waits for one of the same name goes there."""
        before = {line.route.name: line for line in self._lines}
        await self._stop()
        for line in self._lines:
            await line.route.sink.close()
        self._lines = []
        for route in routes:
            line = _Line(route)
            known = before.get(route.name)
            if known is not None:
                line.waiting, line.told, line.failures, line.lost = (
                    known.waiting,
                    known.told,
                    known.failures,
                    known.lost,
                )
                line.more.set()
            self._lines.append(line)
        if self._running:
            self.start()

    def tell(self, notices: Iterable[ToldNotice]) -> None:
        """Returns at once."""
        for told in notices:
            for line in self._lines:
                line.add(told)

    def status(self) -> list[SinkStatus]:
        return [line.status() for line in self._lines]

    async def close(self) -> None:
        """What still waits is lost."""
        self._running = False
        await self._stop()
        for line in self._lines:
            await line.route.sink.close()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _run(self, line: _Line) -> None:
        while True:
            while line.waiting:
                await self._deliver(line, line.waiting[0])
            line.more.clear()
            await line.more.wait()

    async def _deliver(self, line: _Line, told: ToldNotice) -> None:
        """Try until it is told or given up. It stays first in line meanwhile, unless the line became too long."""
        began_s, tries = self._clock.monotonic_s(), 0
        while line.waiting and line.waiting[0] is told:
            tries += 1
            try:
                await line.route.sink.tell(told)
            except TemporaryError as exc:
                line.failed(exc)
                waited_s = self._clock.monotonic_s() - began_s
                pause_s = self._backoff.pause_s(tries, waited_s, self._rng, exc.retry_after_s)
                if pause_s is not None:
                    await self._sleep(pause_s)
                    continue
                line.lost += 1
            except PermanentError as exc:
                line.failed(exc)
                line.lost += 1
            except Exception as exc:  # noqa: BLE001 - a defect of one place must not end the others' alerts
                line.failed(exc)
                line.lost += 1
            else:
                line.succeeded()
            if line.waiting and line.waiting[0] is told:
                line.waiting.popleft()
            return
