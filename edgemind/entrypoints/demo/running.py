"""The demo's fleet as this process holds it."""

from dataclasses import dataclass

from edgemind.adapters.http_calls import HttpCalls
from edgemind.entrypoints.demo.fleet_watch import FleetApi
from edgemind.entrypoints.demo.layout import DemoFleet
from edgemind.entrypoints.demo.processes import Processes
from edgemind.services.devices.asking import DeviceCalls


@dataclass(frozen=True, slots=True)
class RunningFleet:
    """Its layout and processes, and three ways to talk to it: plain HTTP, the fleet API, and as devices do."""

    layout: DemoFleet
    processes: Processes
    calls: HttpCalls
    api: FleetApi
    devices: DeviceCalls
