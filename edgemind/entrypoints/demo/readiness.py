"""Waits until the fleet serves: each process by its own word over HTTP, then the fleet by that of its controllers."""

import asyncio
import time
from collections.abc import Callable, Sequence

from edgemind.adapters.http_calls import HttpCalls
from edgemind.entrypoints.demo.fleet_watch import FleetApi, incomplete
from edgemind.entrypoints.demo.processes import Child, ProcessEnded, Processes, last_line
from edgemind.errors import EdgeMindError, UpstreamFailed

ASK_EVERY_S = 0.05
LIMIT_S = 90.0
"""Far beyond what a slow machine needs: something is wrong then."""


class NeverReady(EdgeMindError):
    """The fleet did not come up; the message says what was missing."""


class Readiness:
    """`say` gets a line for people; `started_s` is when the demo began, in monotonic seconds."""

    def __init__(self, processes: Processes, calls: HttpCalls, started_s: float, say: Callable[[str], None]) -> None:
        self._processes = processes
        self._calls = calls
        self._started_s = started_s
        self._say = say

    def elapsed_s(self) -> float:
        return time.monotonic() - self._started_s

    async def processes_ready(self, children: Sequence[Child]) -> None:
        """Every process answers. Raises ProcessEnded as soon as one has died, NeverReady after the limit."""
        groups: dict[str, list[Child]] = {}
        for child in children:
            groups.setdefault(child.plan.site or child.plan.name, []).append(child)
        await asyncio.gather(*(self._group_ready(name, group) for name, group in groups.items()))

    async def fleet_ready(self, api: FleetApi, sites: Sequence[str]) -> None:
        """Every controller sees every site in service. Raises as `processes_ready` does."""
        for site in sites:
            while missing := incomplete(await api.read(site), sites):
                self.check(f"{site} still does not see {', '.join(missing)} in service")
                await asyncio.sleep(ASK_EVERY_S)

    async def answers(self, url: str) -> bool:
        try:
            return (await self._calls.call("GET", url, timeout_s=2.0)).status == 200
        except UpstreamFailed:
            return False

    async def _group_ready(self, name: str, group: Sequence[Child]) -> None:
        await asyncio.gather(*(self._ready(child) for child in group))
        self._say(f"  {name:<16} ready after {self.elapsed_s():.1f} s")

    async def _ready(self, child: Child) -> None:
        while not await self.answers(child.plan.ready_url):
            self.check(f"{child.plan.name} does not answer: {last_line(child.log)} (all of it: {child.log})")
            await asyncio.sleep(ASK_EVERY_S)

    def check(self, missing: str) -> None:
        """To be called while waiting: raises ProcessEnded if a process has died, NeverReady once it takes too long."""
        for child in self._processes.newly_ended():
            raise ProcessEnded(child.obituary())
        if self.elapsed_s() > LIMIT_S:
            raise NeverReady(f"not ready after {LIMIT_S:.0f} s: {missing}")
