"""A model's slots: so many requests at once, the next in order of arrival, and a refusal once too many wait.

`SlotQueue` is the discipline alone (no clock, no loop); `Slots` lets coroutines wait in it.
"""

import asyncio
import math
from collections.abc import Hashable
from enum import Enum
from typing import Generic, TypeVar

from edgemind.errors import TemporaryError

Ticket = TypeVar("Ticket", bound=Hashable)


class Place(Enum):
    """Where an arriving request stands."""

    RUNNING = "running"
    WAITING = "waiting"
    REFUSED = "refused"


class SlotQueue(Generic[Ticket]):
    """First come, first served over `slots` places; at most `waiting_limit` tickets wait for one."""

    def __init__(self, slots: int, waiting_limit: int) -> None:
        self.slots = slots
        self.waiting_limit = waiting_limit
        self._running: set[Ticket] = set()
        # A dict keeps the order of arrival and lets a ticket that gives up leave the middle without a search.
        self._waiting: dict[Ticket, None] = {}

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def arrive(self, ticket: Ticket) -> Place:
        """A refused ticket leaves no trace."""
        if len(self._running) < self.slots:
            self._running.add(ticket)
            return Place.RUNNING
        if len(self._waiting) < self.waiting_limit:
            self._waiting[ticket] = None
            return Place.WAITING
        return Place.REFUSED

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Done or given up; returns the ticket that runs now in its place, if any. Leaving twice changes nothing."""
        if ticket not in self._running:
            self._waiting.pop(ticket, None)
            return None
        self._running.remove(ticket)
        return self._promote()

    def resize(self, slots: int, waiting_limit: int) -> list[Ticket]:
        """From now on so many; returns the tickets that run now. Of too many, those that run and wait may stay."""
        self.slots, self.waiting_limit = slots, waiting_limit
        promoted = []
        while (ticket := self._promote()) is not None:
            promoted.append(ticket)
        return promoted

    def _promote(self) -> Ticket | None:
        if not self._waiting or len(self._running) >= self.slots:
            return None
        promoted = next(iter(self._waiting))
        del self._waiting[promoted]
        self._running.add(promoted)
        return promoted


class QueueFull(TemporaryError):
    """Every slot is busy and the queue behind them is full."""


class Lease:
    """A slot held, until released."""

    __slots__ = ("_slots", "_ticket")

    def __init__(self, slots: "Slots", ticket: "asyncio.Future[None]") -> None:
        self._slots = slots
        self._ticket = ticket

    def release(self) -> None:
        """Let the next request in. Again is fine."""
        self._slots.leave(self._ticket)


class Slots:
    """The slots of one model in one event loop. `service_ms` is only used to say when to try again."""

    def __init__(self, slots: int, waiting_per_slot: int, service_ms: float) -> None:
        self._queue: SlotQueue[asyncio.Future[None]] = SlotQueue(slots, slots * waiting_per_slot)
        self._waiting_per_slot = waiting_per_slot
        self._service_ms = service_ms

    @property
    def in_flight(self) -> int:
        return self._queue.running

    @property
    def queued(self) -> int:
        return self._queue.waiting

    @property
    def slots(self) -> int:
        return self._queue.slots

    def resize(self, slots: int) -> None:
        """At least one. Growing lets in who waits; shrinking lets those that run finish, and who waits wait."""
        for ticket in self._queue.resize(slots, slots * self._waiting_per_slot):
            _let_in(ticket)

    async def acquire(self) -> Lease:
        """Wait for a slot. Raises QueueFull at once when too many wait; a cancelled wait leaves the queue."""
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = self._queue.arrive(ticket)
        if place is Place.REFUSED:
            raise self._full()
        if place is Place.WAITING:
            try:
                await ticket
            except asyncio.CancelledError:
                # The slot may have been given to this ticket just before it was cancelled: leaving covers both.
                self.leave(ticket)
                raise
        return Lease(self, ticket)

    def leave(self, ticket: "asyncio.Future[None]") -> None:
        promoted = self._queue.leave(ticket)
        if promoted is not None:
            _let_in(promoted)

    def _full(self) -> QueueFull:
        queue = self._queue
        wait_s = math.ceil(queue.waiting / queue.slots * self._service_ms / 1000)
        return QueueFull(f"all {queue.slots} slots are busy and {queue.waiting} requests wait", max(1.0, wait_s))


def _let_in(ticket: "asyncio.Future[None]") -> None:
    if not ticket.done():
        ticket.set_result(None)
