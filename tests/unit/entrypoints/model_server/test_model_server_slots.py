import asyncio
import heapq
from collections.abc import Callable
from random import Random

import pytest

from edgemind.adapters.inference.simulated import SimulatedModel
from edgemind.domain.fleet import Engine, ModelEndpoint, ServiceTime
from edgemind.domain.service_time import draw_ms
from edgemind.entrypoints.model_server.service import Station
from edgemind.entrypoints.model_server.slots import Place, QueueFull, SlotQueue, Slots


def waits_ms(slots: int, arrivals_per_ms: float, service_ms: float, requests: int) -> list[float]:
    """Waiting times of an M/M/c station: the real queue on a clock that jumps from event to event."""
    rng, exponential = Random(11), ServiceTime("exponential")
    queue: SlotQueue[int] = SlotQueue(slots, requests)
    arrived: dict[int, float] = {}
    waited: list[float] = []
    ends: list[tuple[float, int]] = []
    next_arrival_ms, ticket = 0.0, 0

    def start(ticket: int, now_ms: float) -> None:
        waited.append(now_ms - arrived[ticket])
        heapq.heappush(ends, (now_ms + draw_ms(exponential, service_ms, rng), ticket))

    while ticket < requests or ends:
        if ends and (ticket == requests or ends[0][0] <= next_arrival_ms):
            now_ms, done = heapq.heappop(ends)
            promoted = queue.leave(done)
            if promoted is not None:
                start(promoted, now_ms)
            continue
        arrived[ticket] = next_arrival_ms
        if queue.arrive(ticket) is Place.RUNNING:
            start(ticket, next_arrival_ms)
        ticket += 1
        next_arrival_ms += rng.expovariate(arrivals_per_ms)
    return waited


def test_waits_are_those_of_queueing_theory() -> None:
    # At 70 % the mean wait of M/M/1 is rho / (1 - rho) * service, of M/M/2 rho^2 / (1 - rho^2) * service.
    one = waits_ms(slots=1, arrivals_per_ms=0.07, service_ms=10.0, requests=100_000)
    two = waits_ms(slots=2, arrivals_per_ms=0.14, service_ms=10.0, requests=100_000)
    assert sum(one) / len(one) == pytest.approx(23.3, rel=0.1)
    assert sum(two) / len(two) == pytest.approx(9.6, rel=0.1)


def test_first_come_first_served_and_a_bounded_queue() -> None:
    queue: SlotQueue[str] = SlotQueue(slots=2, waiting_limit=2)
    assert [queue.arrive(name) for name in "abcde"] == [
        Place.RUNNING, Place.RUNNING, Place.WAITING, Place.WAITING, Place.REFUSED,
    ]  # fmt: skip
    assert (queue.running, queue.waiting) == (2, 2)
    assert queue.leave("b") == "c"
    assert queue.arrive("f") is Place.WAITING
    assert queue.leave("a") == "d"
    assert queue.leave("c") == "f"
    assert (queue.running, queue.waiting) == (2, 0)


def test_giving_up_while_waiting_lets_nobody_jump_the_queue() -> None:
    queue: SlotQueue[str] = SlotQueue(slots=1, waiting_limit=3)
    for name in "abcd":
        queue.arrive(name)
    assert queue.leave("c") is None
    assert queue.leave("c") is None
    assert queue.leave("e") is None
    assert queue.leave("a") == "b"
    assert queue.leave("a") is None
    assert queue.leave("b") == "d"


async def _rest() -> None:
    """Let every task that can run, run."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_coroutines_wait_in_order_and_a_cancelled_one_leaves() -> None:
    async def scenario() -> None:
        slots = Slots(slots=1, waiting_per_slot=2, service_ms=1500.0)
        lease = await slots.acquire()
        second, third = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
        await _rest()
        assert (slots.in_flight, slots.queued) == (1, 2)
        with pytest.raises(QueueFull, match="all 1 slots are busy and 2 requests wait") as full:
            await slots.acquire()
        assert full.value.retry_after_s == 3
        second.cancel()
        await _rest()
        assert (slots.in_flight, slots.queued) == (1, 1)
        lease.release()
        lease.release()
        (await third).release()
        assert (slots.in_flight, slots.queued) == (0, 0)

    asyncio.run(scenario())


def test_a_slot_given_to_one_who_is_just_leaving_goes_to_the_next() -> None:
    async def scenario() -> None:
        slots = Slots(slots=1, waiting_per_slot=2, service_ms=1.0)
        lease = await slots.acquire()
        leaving, staying = asyncio.create_task(slots.acquire()), asyncio.create_task(slots.acquire())
        await _rest()
        lease.release()
        leaving.cancel()
        (await staying).release()
        assert leaving.cancelled() or leaving.cancelling()
        assert (slots.in_flight, slots.queued) == (0, 0)

    asyncio.run(scenario())


def test_growing_lets_in_who_waits_in_order_and_shrinking_lets_the_running_finish() -> None:
    queue: SlotQueue[str] = SlotQueue(slots=1, waiting_limit=4)
    for name in "abcd":
        queue.arrive(name)
    assert queue.resize(3, 12) == ["b", "c"]
    assert queue.resize(1, 4) == []
    assert (queue.running, queue.waiting) == (3, 1)
    # Three run on one slot: nobody follows until fewer than one do.
    assert [queue.leave(name) for name in "abc"] == [None, None, "d"]
    assert queue.resize(2, 8) == []


def test_waiting_coroutines_run_when_their_model_gets_more_slots() -> None:
    async def story() -> None:
        slots = Slots(1, 4, 10.0)
        await slots.acquire()
        waiting = [asyncio.create_task(slots.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        slots.resize(2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [task.done() for task in waiting] == [True, True, False]
        assert (slots.slots, slots.in_flight, slots.queued) == (2, 2, 1)
        waiting[2].cancel()

    asyncio.run(story())


def test_a_replica_serves_when_its_model_is_loaded_and_goes_at_once() -> None:
    async def story() -> None:
        endpoint = ModelEndpoint("simulated-m", "http://x", 2, 10.0, Engine.SIMULATED, load_ms=1.0, max_replicas=5)
        station = Station(SimulatedModel(endpoint, Random(1)), 8, 0.0)
        station.scale(3)
        assert station.replicas == 1
        station.scale(2)
        await asyncio.wait_for(until(lambda: station.replicas == 2), 10)
        station.scale(1)
        assert station.replicas == 1
        station.start_with(4)
        assert station.replicas == 4

    async def until(holds: Callable[[], bool]) -> None:
        while not holds():  # noqa: ASYNC110 - a timer of one millisecond
            await asyncio.sleep(0)

    asyncio.run(story())
