"""One demo from start to end. However it ends, no process of it stays behind."""

import asyncio
import contextlib
import secrets
import signal
import sys
from dataclasses import dataclass, field

import click

from edgemind import bootstrap
from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.entrypoints.controller.voters import agents_installed
from edgemind.entrypoints.demo.beside import unless
from edgemind.entrypoints.demo.control import control_app, serving
from edgemind.entrypoints.demo.fleet_watch import FleetApi
from edgemind.entrypoints.demo.folder import DemoFolder, default_fleet
from edgemind.entrypoints.demo.launch import Launch, welcome
from edgemind.entrypoints.demo.layout import DemoFleet, url
from edgemind.entrypoints.demo.lines import Display, PlainLines
from edgemind.entrypoints.demo.options import DemoOptions
from edgemind.entrypoints.demo.processes import Processes
from edgemind.entrypoints.demo.readiness import Readiness
from edgemind.entrypoints.demo.report_file import write_report
from edgemind.entrypoints.demo.running import RunningFleet
from edgemind.entrypoints.demo.traffic_run import TrafficRun
from edgemind.services.devices.asking import DeviceCalls
from edgemind.settings import Settings


@dataclass(frozen=True, slots=True)
class DemoSession:
    """`started_s` is when the command began, in monotonic seconds: what a person waits for counts from there."""

    options: DemoOptions
    layout: DemoFleet
    folder: DemoFolder
    settings: Settings
    key: str
    started_s: float
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    async def run(self) -> None:
        """Until the duration is over or somebody stops it. EdgeMindError or click.Abort: it was never ready."""
        pools = bootstrap.upstream_pools(self.settings.limits)
        sweeping = asyncio.ensure_future(pools.run())
        with Processes(self.folder.logs) as processes:
            stop = _stop_on_signals(processes)
            fleet = self._fleet(processes, pools)
            try:
                control = {"url": url(self.layout.control_port), "token": self.control_token}
                with default_fleet(self.layout.sites[0].controller_url, self.folder.token("admin"), control):
                    await self._serve(fleet, stop)
            finally:
                click.echo("stopping ...")
                await processes.stop()
                sweeping.cancel()
                await pools.close()

    def _fleet(self, processes: Processes, pools: UpstreamPools) -> RunningFleet:
        calls = HttpCalls(pools)
        controllers = {site.name: site.controller_url for site in self.layout.sites}
        gateways = {site.name: site.gateway_url for site in self.layout.sites}
        api = FleetApi(calls, controllers, self.folder.token("viewer"))
        devices = DeviceCalls(pools, gateways, self.key, bootstrap.system_clock())
        return RunningFleet(self.layout, processes, calls, api, devices)

    async def _serve(self, fleet: RunningFleet, stop: asyncio.Event) -> None:
        launch = Launch(fleet, Readiness(fleet.processes, fleet.calls, self.started_s, click.echo), click.echo)
        if not await unless(stop, launch.fleet_up(self.folder.config, self.options.seed)):
            click.echo("stopped before the fleet was ready")
            raise click.Abort
        click.echo()
        if self.options.page:
            launch.start_page(self.folder.token("viewer"))
        self._tell()
        display = _display()
        run = TrafficRun(self.options, fleet, display)
        with contextlib.closing(display):
            async with serving(control_app(run.stage, self.control_token), self.layout.control_port):
                await run.run(stop)
        click.echo(run.summary())
        if self.options.report is not None:
            write_report(self.options.report, run.report())
            click.echo(f"report: {self.options.report}")

    def _tell(self) -> None:
        click.echo(welcome(self.layout, self.key))
        click.echo()
        duration_s = self.options.duration_s
        ends = "Ctrl-C stops everything" if duration_s is None else f"ends after {duration_s:g} s, or at Ctrl-C"
        who = "Strands agents" if agents_installed() else 'the library (agents: pip install "edgemind-mec[agents]")'
        click.echo(f"votes in rounds come from {who}")
        if self.options.page:
            click.echo(
                f"the dashboard reads; to act from it, sign in with the token in {self.folder.path}/operator.token"
            )
        click.echo(f"logs in {self.folder.logs}/, configuration in {self.folder.config}")
        click.echo(f"{ends}\n")


def _stop_on_signals(processes: Processes) -> asyncio.Event:
    """An event that Ctrl-C, SIGTERM or a closed terminal set; asked a second time, everything is killed."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            processes.kill(processes.running())
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def _display() -> Display:
    if not sys.stdout.isatty():
        return PlainLines()
    try:
        from rich.console import Console

        from edgemind.entrypoints.demo.screen import LiveTable
    except ModuleNotFoundError:
        return PlainLines()
    console = Console()
    return PlainLines() if console.is_dumb_terminal else LiveTable(console)
