"""What the scenario breaks, really and on time, and how soon the fleet notices a dead site."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from edgemind.domain.scenarios import FaultKind
from edgemind.domain.workload import Course
from edgemind.entrypoints.demo.fleet_watch import GIVEN_UP
from edgemind.entrypoints.demo.layout import DemoSite, url
from edgemind.entrypoints.demo.running import RunningFleet
from edgemind.errors import UpstreamFailed
from edgemind.services.demo_report import Failover

POLL_S = 0.025
"""Forty looks a second at each controller."""


Action = Callable[[], Awaitable[None]]


class Faults:
    """`say` gets a line when something happens. `failover` is there after a kill."""

    def __init__(self, course: Course, fleet: RunningFleet, say: Callable[[str], None]) -> None:
        self._course = course
        self._fleet = fleet
        self._say = say
        self.failover: Failover | None = None
        self._slowed: list[DemoSite] = []
        self._killed: list[DemoSite] = []

    async def run(self) -> None:
        """Every fault at its time; time 0 is now. Cancelled with the run."""
        await asyncio.gather(*(self._at(ratio, action) for ratio, action in self._moments()))

    async def mend(self) -> None:
        """Undo what this course broke and did not undo itself: another one begins on a whole fleet."""
        for site in list(self._slowed):
            await self._slow_down(site, 1.0)
        for site in self._killed:
            count = self._fleet.processes.restart_site(site.name)
            self._say(f"{site.name} starts again ({count} processes)")
        self._killed = []

    def _moments(self) -> Iterator[tuple[float, Action]]:
        """What happens when, as ratios of the duration. Surges make themselves happen; they are only announced."""
        for fault in self._course.scenario.faults:
            site = self._site(fault.site)
            if fault.kind is FaultKind.KILL:
                yield fault.start_ratio, partial(self._kill, site)
                continue
            yield fault.start_ratio, partial(self._slow_down, site, fault.factor)
            if fault.end_ratio is not None:
                yield fault.end_ratio, partial(self._slow_down, site, 1.0)
        for surge in self._course.scenario.surges:
            name = self._site(surge.site).name
            yield surge.start_ratio, partial(self._announce, f"{surge.factor:g} times the requests at {name}")
            yield surge.end_ratio, partial(self._announce, f"normal rate at {name} again")

    async def _at(self, ratio: float, action: Action) -> None:
        await asyncio.sleep(ratio * self._course.duration_s)
        await action()

    async def _announce(self, text: str) -> None:
        self._say(text)

    def _site(self, number: int) -> DemoSite:
        sites = self._fleet.layout.sites
        return sites[number % len(sites)]

    async def _kill(self, site: DemoSite) -> None:
        surviving = tuple(name for name in self._fleet.layout.names if name != site.name)
        killed_s = time.monotonic()
        count = self._fleet.processes.kill_site(site.name)
        self._killed.append(site)
        self._say(f"killed {site.name} ({count} processes)")
        self.failover = Failover(site.name, killed_s, None, surviving)
        await asyncio.gather(*(self._until_given_up(site.name, asked) for asked in surviving))
        detected_ms = (time.monotonic() - killed_s) * 1000.0
        self.failover = Failover(site.name, killed_s, detected_ms, surviving)
        self._say(f"every other site knows that {site.name} is down ({detected_ms:.0f} ms after the kill)")

    async def _until_given_up(self, site: str, asked: str) -> None:
        while await self._fleet.api.state_of(site, asked) not in GIVEN_UP:  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(POLL_S)

    async def _slow_down(self, site: DemoSite, factor: float) -> None:
        body = json.dumps({"factor": factor}).encode()
        address = f"{url(site.simulated_port)}/simulated/brownout"
        try:
            answer = await self._fleet.calls.call("POST", address, timeout_s=2.0, body=body)
            done = answer.status == 200
        except UpstreamFailed:
            done = False
        if not done:
            self._say(f"the models of {site.name} could not be slowed down: their server does not answer")
        elif factor == 1.0:
            self._slowed = [one for one in self._slowed if one is not site]
            self._say(f"{site.name} is as fast as before")
        else:
            self._slowed.append(site)
            self._say(f"{site.name} slowed down: its simulated models take {factor:g} times as long")
