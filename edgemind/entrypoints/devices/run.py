"""Device traffic until it is stopped: counted, told every few seconds, and kept in a report that is renewed."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click

from edgemind import bootstrap
from edgemind.domain.device_mixes import for_models
from edgemind.domain.fleet import Engine
from edgemind.domain.scenarios import Scenario
from edgemind.domain.workload import Course, arrivals
from edgemind.entrypoints.demo.beside import beside, unless
from edgemind.entrypoints.demo.options import COURSE_S
from edgemind.entrypoints.demo.report_file import write_report
from edgemind.entrypoints.demo.snapshot import summary_of
from edgemind.services.demo_report import RunFacts, Tally, report_document
from edgemind.services.devices.asking import DeviceCalls
from edgemind.services.devices.population import Population
from edgemind.services.devices.traffic import DeviceTraffic
from edgemind.settings import Settings
from edgemind.settings.sites import SiteSettings

REPORT_EVERY_S = 1.0
TELL_EVERY = 15
"""One line after so many reports."""
GRACE_S = 1.0
"""After SIGTERM: how long requests under way may still take."""
BACKEND = "as configured"


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """`sites` are those whose devices these are. `duration_s` None: until SIGTERM."""

    sites: tuple[str, ...]
    scenario: Scenario
    rate_per_s: float
    seed: int
    duration_s: float | None
    report: Path | None


class DeviceRun:
    """Built inside the event loop that runs it; its time 0 is when it is made."""

    def __init__(self, options: DeviceOptions, settings: Settings, key: str) -> None:
        self._options = options
        # As declared, not as the fleet: that would need the secrets of the model servers.
        sites, seed = {site.name: site for site in settings.sites}, options.seed
        self._pools = bootstrap.upstream_pools(settings.limits)
        gateways = {name: site.gateway for name, site in sites.items() if site.gateway}
        calls = DeviceCalls(self._pools, gateways, key, bootstrap.system_clock())
        ingresses = {name: nearest_first(sites[name], tuple(gateways)) for name in options.sites}
        self._started_s = time.monotonic()
        self._tally = Tally(options.sites, self._started_s, Random(f"{seed} samples"))
        self._traffic = DeviceTraffic(
            Population(options.sites, ingresses), calls, bootstrap.system_clock(), Random(f"{seed} contents"),
            on_sent=lambda home: self._tally.on_sent(home, time.monotonic()), on_outcome=self._tally.on_outcome,
        )  # fmt: skip
        simulated = {model.name: model.engine is Engine.SIMULATED for site in sites.values() for model in site.models}
        mix = for_models(options.scenario.mix, simulated)
        self._course = Course(options.scenario, mix, len(options.sites), options.rate_per_s, COURSE_S)
        self._facts = RunFacts(
            options.scenario.name, BACKEND, settings.routing.policy.value, options.sites, seed, options.rate_per_s,
            simulated,
        )  # fmt: skip

    async def run(self) -> None:
        """Until the duration is over or SIGTERM or SIGINT comes."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for caught in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(caught, stop.set)
        click.echo(f"devices of {', '.join(self._options.sites)}: {self._options.scenario.text}")
        try:
            await beside(self._send(stop), [self._pools.run(), self._traffic.watch_ingresses(), self._tell()])
        finally:
            await self._pools.close()
        self._keep()
        click.echo(summary_of(self._tally))

    async def _send(self, stop: asyncio.Event) -> None:
        rngs = [Random(f"{self._options.seed} arrivals {site}") for site in self._options.sites]
        await unless(stop, self._until_over(rngs))
        try:
            async with asyncio.timeout(GRACE_S):
                await self._traffic.settle()
        except TimeoutError:
            await self._traffic.give_up()

    async def _until_over(self, rngs: list[Random]) -> None:
        try:
            async with asyncio.timeout(self._options.duration_s):
                await self._traffic.run(arrivals(self._course, rngs, endless=True))
        except TimeoutError:
            return

    async def _tell(self) -> None:
        reports = 0
        while True:
            self._keep()
            if reports % TELL_EVERY == TELL_EVERY - 1:
                click.echo(summary_of(self._tally).replace("\n", "; "))
            reports += 1
            await asyncio.sleep(REPORT_EVERY_S)

    def _keep(self) -> None:
        if self._options.report is not None:
            duration_s = time.monotonic() - self._started_s
            write_report(self._options.report, report_document(self._facts, self._tally, duration_s, [], None))


def nearest_first(home: SiteSettings, ingresses: tuple[str, ...]) -> list[str]:
    """Where devices of `home` go: to it, then to the others by their declared round trip; undeclared ones come last."""
    others = [name for name in ingresses if name != home.name]
    return [home.name, *sorted(others, key=lambda name: home.rtt_ms.get(name, float("inf")))]
