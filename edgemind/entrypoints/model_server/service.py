"""Simulated work: a request waits for a slot, holds it for its drawn service time, and leaves it the moment it goes."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager

from edgemind.adapters.inference.simulated import SimulatedModel
from edgemind.domain.service_time import FIRST_CHUNK_MS_HEADER, SERVICE_MS_HEADER, WAN_MS_HEADER
from edgemind.entrypoints.model_server.application import unknown_model
from edgemind.entrypoints.model_server.exchange import Exchange, Header
from edgemind.entrypoints.model_server.slots import QueueFull, Slots


class Turn:
    """One request on a slot. The way home over a WAN delays what the client sees, not when the slot is free."""

    def __init__(self, drawn_ms: float, wan_ms: float, started_s: float) -> None:
        self._drawn_ms = drawn_ms
        self._wan_ms = wan_ms
        self._started_s = started_s

    async def until(self, share: float) -> tuple[Header, ...]:
        """Wait until `share` of the service time is over (1.0: all of it); returns the headers that tell the times."""
        share_ms = share * self._drawn_ms
        due_s = self._started_s + (share_ms + self._wan_ms / 2) / 1000
        await asyncio.sleep(due_s - time.monotonic())
        # A timer wakes up to a millisecond off. That is this server's time: as added latency it would blame the route.
        late_ms = (time.monotonic() - due_s) * 1000
        told = ((SERVICE_MS_HEADER, self._drawn_ms + late_ms), (FIRST_CHUNK_MS_HEADER, share_ms + late_ms))
        wan = ((WAN_MS_HEADER, self._wan_ms),) if self._wan_ms else ()
        return tuple((name, b"%.3f" % value) for name, value in (*told, *wan))


class Station:
    """A simulated model with its slots, as one server runs it. `wan_ms` is the round trip to a simulated cloud."""

    def __init__(self, model: SimulatedModel, waiting_per_slot: int, wan_ms: float) -> None:
        self.model = model
        self._served = 0
        self._refused = 0
        self._wan_ms = wan_ms
        self._slots = Slots(model.slots, waiting_per_slot, model.service_ms)
        self._growing: asyncio.TimerHandle | None = None

    @property
    def replicas(self) -> int:
        """How many serve now."""
        return self._slots.slots // self.model.slots

    def scale(self, replicas: int) -> None:
        """Run this many, each with the model's slots. More of them come when their model is loaded (`load_ms`)."""
        if self._growing is not None:
            self._growing.cancel()
        slots = replicas * self.model.slots
        if slots <= self._slots.slots or not self.model.load_ms:
            self._slots.resize(slots)
        else:
            loop = asyncio.get_running_loop()
            self._growing = loop.call_later(self.model.load_ms / 1000, self._slots.resize, slots)

    def start_with(self, replicas: int) -> None:
        """As a server that starts again: what it had is loaded before anybody asks."""
        self._slots.resize(replicas * self.model.slots)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """A slot for one request, until its drawn time is over or the block is left. Raises QueueFull."""
        if self._wan_ms:
            await asyncio.sleep(self._wan_ms / 2000)
        try:
            lease = await self._slots.acquire()
        except QueueFull:
            self._refused += 1
            raise
        # Not the loop's clock: uvloop's ticks in whole milliseconds.
        drawn_ms, started_s = self.model.draw_ms(), time.monotonic()
        # The slot's time runs by itself: a slow reader or a long way home must not hold it.
        timer = asyncio.get_running_loop().call_later(drawn_ms / 1000, lease.release)
        try:
            yield Turn(drawn_ms, self._wan_ms, started_s)
            self._served += 1
        finally:
            timer.cancel()
            lease.release()

    async def answer_in_turn(self, exchange: Exchange, document: Mapping[str, object]) -> None:
        """Send `document` when its service time is over. Raises QueueFull, ClientGone."""
        headers = await exchange.unless_gone(self._whole())
        await exchange.answer(200, document, headers)

    def stats(self) -> dict[str, object]:
        return {
            "slots": self._slots.slots,
            "replicas": self.replicas,
            "in_flight": self._slots.in_flight,
            "queued": self._slots.queued,
            "served": self._served,
            "refused": self._refused,
            "service_ms": self.model.service_ms,
            "slowdown": self.model.slowdown,
        }

    async def _whole(self) -> tuple[Header, ...]:
        async with self.turn() as turn:
            return await turn.until(1.0)


class Stations:
    """The simulated models of one server, by name."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self._by_name = {station.model.name: station for station in stations}

    def __iter__(self) -> Iterator[Station]:
        return iter(self._by_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def find(self, name: str) -> Station:
        """Raises Refused (404) with the models there are."""
        station = self._by_name.get(name)
        if station is None:
            raise unknown_model(name, ", ".join(self._by_name))
        return station
