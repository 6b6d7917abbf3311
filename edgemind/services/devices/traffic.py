"""Open-loop device traffic: requests are sent when they are due, however long the ones before them take."""

import asyncio
from collections.abc import Callable, Iterable
from random import Random

from edgemind.domain.payloads import payload_of
from edgemind.domain.workload import Arrival
from edgemind.ports.clock import Clock
from edgemind.services.devices.asking import DeviceCalls
from edgemind.services.devices.outcomes import Outcome
from edgemind.services.devices.population import Population

HEALTH_CHECK_S = 0.5
"""How often an ingress that devices have left is asked whether it is back."""


class DeviceTraffic:
    """`on_sent` gets the home site of each request when it leaves, `on_outcome` its end. `rng` draws the contents."""

    def __init__(
        self,
        population: Population,
        calls: DeviceCalls,
        clock: Clock,
        rng: Random,
        on_sent: Callable[[str], None],
        on_outcome: Callable[[Outcome], None],
    ) -> None:
        self._population = population
        self._calls = calls
        self._clock = clock
        self._rng = rng
        self._on_sent = on_sent
        self._on_outcome = on_outcome
        self._under_way: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def run(self, arrivals: Iterable[Arrival]) -> None:
        """Send every arrival when it is due; time 0 is now. Requests under way are left to `settle`."""
        start_s = self._clock.monotonic_s()
        for arrival in arrivals:
            wait_s = start_s + arrival.at_s - self._clock.monotonic_s()
            # Also when late: the answers of earlier requests need the loop too.
            await asyncio.sleep(max(0.0, wait_s))
            if self._broken is not None:
                raise self._broken
            task = asyncio.ensure_future(self._one(arrival))
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    async def settle(self) -> None:
        """Wait until every request sent has ended: each has a limit of its own."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        if self._broken is not None:
            raise self._broken

    async def give_up(self) -> None:
        """Cut what is under way; those requests have no outcome."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def watch_ingresses(self) -> None:
        """Bring devices home as soon as an ingress they left is healthy again; until cancelled."""
        while True:
            await asyncio.sleep(HEALTH_CHECK_S)
            for ingress in self._population.lost_ingresses():
                if await self._calls.healthy(ingress):
                    self._population.found(ingress)

    async def _one(self, arrival: Arrival) -> None:
        device = self._population.device_of(arrival)
        payload = payload_of(arrival.activity, self._rng)
        self._on_sent(device.home)
        self._on_outcome(await self._calls.ask(device, payload))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
