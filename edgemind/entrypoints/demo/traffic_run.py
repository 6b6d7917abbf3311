"""The time in which devices send: traffic, faults, display and, at the end, what it amounts to."""

import asyncio
import contextlib
import time
from random import Random

from edgemind import bootstrap
from edgemind.domain.fleet import Engine
from edgemind.entrypoints.demo.alert_watch import AlertWatch
from edgemind.entrypoints.demo.beside import beside, unless
from edgemind.entrypoints.demo.fleet_watch import FleetWatch
from edgemind.entrypoints.demo.lines import Display
from edgemind.entrypoints.demo.options import DemoOptions
from edgemind.entrypoints.demo.round_watch import RoundWatch
from edgemind.entrypoints.demo.running import RunningFleet
from edgemind.entrypoints.demo.snapshot import Snapshot, snapshot_of, summary_of
from edgemind.entrypoints.demo.stage import Stage
from edgemind.services.demo_course import rounds_document
from edgemind.services.demo_report import Event, RunFacts, Tally, report_document
from edgemind.services.devices.population import Population
from edgemind.services.devices.traffic import DeviceTraffic

SHOW_EVERY_S = 0.5
CHILDREN_EVERY_S = 0.2
GRACE_S = 1.0
"""After Ctrl-C: how long requests under way may still take."""


class TrafficRun:
    """One run over a fleet that is up; its time 0 is when it is made."""

    def __init__(self, options: DemoOptions, fleet: RunningFleet, display: Display) -> None:
        self._options = options
        self._fleet = fleet
        self._display = display
        self._events: list[Event] = []
        self._started_s = self._ended_s = time.monotonic()
        self._started_wall_ms = time.time() * 1000.0
        names, seed = fleet.layout.names, options.seed
        self._tally = Tally(names, self._started_s, Random(f"{seed} samples"))
        self._population = Population(names, fleet.layout.ingresses())
        self._traffic = DeviceTraffic(
            self._population, fleet.devices, bootstrap.system_clock(), Random(f"{seed} contents"),
            on_sent=lambda home: self._tally.on_sent(home, time.monotonic()), on_outcome=self._tally.on_outcome,
        )  # fmt: skip
        self._watch = FleetWatch(fleet.api)
        self._rounds = RoundWatch(fleet.api, self._say)
        self._alerts = AlertWatch(fleet.api, self._say)
        self.stage = Stage(options, fleet, self._traffic, self._say)

    async def run(self, stop: asyncio.Event) -> None:
        """Until the duration is over or `stop` is set; afterwards no request is under way."""
        others = [self._traffic.watch_ingresses(), self._watch.run(), self._rounds.run(), self._alerts.run()]
        await beside(self._send(stop), [*others, self._show(), self._watch_children()])
        # Once more: what took effect in the last half second belongs to the run.
        await self._rounds.read()
        await self._alerts.read()
        if self._options.report is not None:
            await self._rounds.read_votes()
        self._display.show(self._snapshot())

    def report(self) -> dict[str, object]:
        duration_s = self._ended_s - self._started_s
        document = report_document(self._facts(), self._tally, duration_s, self._events, self.stage.failover)
        rounds = rounds_document(self._rounds.rounds, self._rounds.votes, self._started_wall_ms)
        return {**document, "rounds": rounds, "alerts": self._alerts.document()}

    def summary(self) -> str:
        return summary_of(self._tally)

    async def _send(self, stop: asyncio.Event) -> None:
        finished = await unless(stop, self.stage.run())
        self._ended_s = time.monotonic()
        if finished and await unless(stop, self._traffic.settle()):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await self._traffic.settle()
        await self._traffic.give_up()

    async def _show(self) -> None:
        while True:
            self._display.show(self._snapshot())
            await asyncio.sleep(SHOW_EVERY_S)

    async def _watch_children(self) -> None:
        """A process that dies is told, not restarted: to watch the fleet cope is what a demo is for."""
        while True:
            for child in self._fleet.processes.newly_ended():
                self._say(child.obituary())
            await asyncio.sleep(CHILDREN_EVERY_S)

    def _say(self, text: str) -> None:
        event = Event(time.monotonic() - self._started_s, text)
        self._events.append(event)
        self._display.event(event)

    def _snapshot(self) -> Snapshot:
        return snapshot_of(
            self._facts(), self._tally, self._watch.latest, self._population.attached(), time.monotonic(),
            self._options.duration_s, self._rounds.rounds,
        )  # fmt: skip

    def _facts(self) -> RunFacts:
        options, layout = self._options, self._fleet.layout
        return RunFacts(
            scenario=options.scenario.name,
            backend=options.backend,
            policy=options.policy,
            sites=layout.names,
            seed=options.seed,
            rate_per_s=options.rate_per_s,
            simulated={model.name: model.engine is Engine.SIMULATED for model in layout.models},
        )
