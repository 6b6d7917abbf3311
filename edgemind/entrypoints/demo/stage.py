"""What the demo's devices do: the scenario that it was started with, and others that are asked for while it runs."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from random import Random

from edgemind.domain.device_mixes import for_models
from edgemind.domain.scenarios import SCENARIOS, Scenario
from edgemind.domain.workload import Course, arrivals
from edgemind.entrypoints.demo.beside import beside, unless
from edgemind.entrypoints.demo.faults import Faults
from edgemind.entrypoints.demo.options import COURSE_S, DemoOptions
from edgemind.entrypoints.demo.running import RunningFleet
from edgemind.services.demo_report import Failover
from edgemind.services.devices.traffic import DeviceTraffic

NORMAL = "normal"
TOLD_KEPT = 5


class ScenarioImpossible(ValueError):
    """There is no such scenario, or this fleet has too few sites for it."""


class Stage:
    """One act at a time. Not thread-safe: everything happens in the demo's loop. `say` gets lines for people."""

    def __init__(
        self, options: DemoOptions, fleet: RunningFleet, traffic: DeviceTraffic, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._fleet = fleet
        self._traffic = traffic
        self._tell = say
        self._changed = asyncio.Event()
        self._acts = 0
        self._told: list[str] = []
        self._course = self._course_of(options.scenario, options.course_s)
        self._endless = options.duration_s is None
        self._faults = Faults(self._course, fleet, self._say)
        self._started_s = time.monotonic()
        self._failover: Failover | None = None

    async def run(self) -> None:
        """Act after act, until the demo's duration is over; without one, until it is cancelled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.duration_s):
                while True:
                    await self._act()

    @property
    def failover(self) -> Failover | None:
        """Of the site that was killed last."""
        return self._faults.failover or self._failover

    def start(self, name: str) -> None:
        """In the place of what plays, for a minute; then the devices do what they normally do."""
        scenario = SCENARIOS.get(name)
        if scenario is None:
            raise ScenarioImpossible(f"there is no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
        if not self._possible(scenario):
            raise ScenarioImpossible(f"{name} needs {scenario.min_sites} sites; start the demo with --sites")
        self._next(scenario, endless=name == NORMAL)
        self._changed.set()
        self._say(f"scenario {name} was asked for: {scenario.text}")

    def document(self) -> dict[str, object]:
        """What plays, and what could."""
        elapsed_s = time.monotonic() - self._started_s
        return {
            "playing": self._course.scenario.name,
            "elapsed_s": round(elapsed_s, 1),
            "lasts_s": None if self._endless else self._course.duration_s,
            "scenarios": [
                {"name": one.name, "text": one.text, "possible": self._possible(one)} for one in SCENARIOS.values()
            ],
            "told": self._told[::-1],
        }

    async def _act(self) -> None:
        """To its end, or until another one is asked for; what it broke is mended before the next one begins."""
        self._changed.clear()
        faults = self._faults
        finished = await unless(self._changed, beside(self._send(), [faults.run()]))
        self._failover = faults.failover or self._failover
        if finished:
            self._next(SCENARIOS[NORMAL], endless=True)
            self._say("the scenario is over; the devices do what they normally do")
        await faults.mend()

    async def _send(self) -> None:
        await self._traffic.run(arrivals(self._course, list(self._rngs()), endless=self._endless))
        # The first act is as long as the demo, if that has a length: then the demo ends, not the act.
        await asyncio.sleep(max(0.0, self._started_s + self._course.duration_s - time.monotonic()))
        if self._acts == 0 and self._options.duration_s is not None:
            await asyncio.Event().wait()

    def _rngs(self) -> Iterator[Random]:
        act = f" {self._acts}" if self._acts else ""
        for site in self._fleet.layout.names:
            yield Random(f"{self._options.seed} arrivals {site}{act}")

    def _next(self, scenario: Scenario, *, endless: bool) -> None:
        self._acts += 1
        self._course = self._course_of(scenario, COURSE_S)
        self._endless = endless
        self._faults = Faults(self._course, self._fleet, self._say)
        self._started_s = time.monotonic()

    def _course_of(self, scenario: Scenario, duration_s: float) -> Course:
        layout = self._fleet.layout
        mix = for_models(scenario.mix, [model.name for model in layout.models])
        return Course(scenario, mix, len(layout.names), self._options.rate_per_s, duration_s)

    def _possible(self, scenario: Scenario) -> bool:
        return len(self._fleet.layout.sites) >= scenario.min_sites

    def _say(self, text: str) -> None:
        self._told = [*self._told, text][-TOLD_KEPT:]
        self._tell(text)
