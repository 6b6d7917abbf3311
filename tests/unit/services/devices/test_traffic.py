"""Open loop: what is due is sent, whatever became of the requests before."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from edgemind.adapters.clock import SystemClock
from edgemind.domain.device_mixes import EVERYDAY
from edgemind.domain.payloads import Payload
from edgemind.domain.workload import Arrival
from edgemind.services.devices import traffic as traffic_module
from edgemind.services.devices.asking import DeviceCalls
from edgemind.services.devices.outcomes import Outcome, Result
from edgemind.services.devices.population import Device, Population
from edgemind.services.devices.traffic import DeviceTraffic

NOW = [Arrival(0.0, number % 2, 0, EVERYDAY[0]) for number in range(10)]


class Calls(DeviceCalls):
    """Asks nobody: `answer` decides."""

    def __init__(self, answer: Callable[[Device], Awaitable[Outcome]]) -> None:
        self._answer = answer
        self.back = asyncio.Event()

    async def ask(self, device: Device, payload: Payload) -> Outcome:
        return await self._answer(device)

    async def healthy(self, ingress: str) -> bool:
        return self.back.is_set()


def population() -> Population:
    return Population(["a", "b"], {"a": ["a", "b"], "b": ["b", "a"]})


def outcome(device: Device) -> Outcome:
    return Outcome(device.activity, device.home, Result.OK, 0.0, 1.0)


class Case:
    def __init__(self, answer: Callable[[Device], Awaitable[Outcome]]) -> None:
        self.sent: Counter[str] = Counter()
        self.outcomes: list[Outcome] = []
        self.population = population()
        self.calls = Calls(answer)
        self.traffic = DeviceTraffic(
            self.population, self.calls, SystemClock(), Random(1),
            on_sent=lambda home: self.sent.update([home]), on_outcome=self.outcomes.append,
        )  # fmt: skip


def test_nobody_waits_for_the_request_before() -> None:
    async def run() -> None:
        answers = asyncio.Event()

        async def slow(device: Device) -> Outcome:
            await answers.wait()
            return outcome(device)

        case = Case(slow)
        await case.traffic.run(NOW)
        await asyncio.sleep(0)
        assert case.sent == {"a": 5, "b": 5}
        assert case.outcomes == []
        answers.set()
        await case.traffic.settle()
        assert len(case.outcomes) == 10

    asyncio.run(run())


def test_what_is_given_up_has_no_outcome() -> None:
    async def run() -> None:
        async def never(device: Device) -> Outcome:
            await asyncio.Event().wait()
            raise AssertionError

        case = Case(never)
        await case.traffic.run(NOW)
        await case.traffic.give_up()
        await case.traffic.settle()
        assert case.outcomes == []

    asyncio.run(run())


def test_a_defect_is_not_swallowed() -> None:
    async def run() -> None:
        async def broken(device: Device) -> Outcome:
            raise ZeroDivisionError

        case = Case(broken)
        await case.traffic.run(NOW[:1])
        with pytest.raises(ZeroDivisionError):
            await case.traffic.settle()
        with pytest.raises(ZeroDivisionError):
            await case.traffic.run(NOW)

    asyncio.run(run())


def test_devices_come_home_when_their_ingress_is_healthy_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "HEALTH_CHECK_S", 0.0)

    async def run() -> None:
        async def answer(device: Device) -> Outcome:
            return outcome(device)

        case = Case(answer)
        device = case.population.device_of(NOW[0])
        device.attachment.lost("a")
        assert case.population.attached() == {"a": 0, "b": 1}
        watching = asyncio.ensure_future(case.traffic.watch_ingresses())
        for _ in range(5):
            await asyncio.sleep(0)
        assert device.attachment.current == "b"
        case.calls.back.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert device.attachment.current == "a"
        watching.cancel()

    asyncio.run(run())


def test_devices_keep_their_identity() -> None:
    people = population()
    first, again = people.device_of(NOW[0]), people.device_of(NOW[2])
    assert first is again
    assert first.session is None
    headset = people.device_of(Arrival(0.0, 1, 3, EVERYDAY[1]))
    assert headset.session == "b/headset-frames/3"
    assert headset.home == "b"
