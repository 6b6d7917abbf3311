"""What every `Scaler` adapter holds: absolute numbers, behind a fence that the resource itself compares and keeps."""

import asyncio
from collections.abc import Awaitable, Iterator
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest

from edgemind.adapters.scaler.compare_and_set import Held
from edgemind.domain.swarm.records import Fence
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.scaler import Replicas, StaleFence
from tests.support.scalers import FIXED, MODELS, MOST, Resource, resource

LLM, DETECTOR = MODELS
Result = TypeVar("Result")


@pytest.fixture(params=["local", "kubernetes"])
def scaled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Resource]:
    with resource(request.param, tmp_path) as made:
        yield made


def run(work: Awaitable[Result]) -> Result:
    """On a loop of its own, as another controller would."""

    async def main() -> Result:
        return await work

    return asyncio.run(main())


def scale(scaled: Resource, replicas: int, fence: Fence, model: str = LLM) -> Replicas:
    return run(scaled.scaler().scale(model, replicas, fence))


def held(scaled: Resource) -> dict[str, Replicas]:
    return dict(run(scaled.scaler().replicas()))


def test_nothing_was_ever_scaled(scaled: Resource) -> None:
    assert held(scaled) == {LLM: Replicas(1, 1, None), DETECTOR: Replicas(1, 1, None)}


def test_a_number_is_absolute_and_of_one_model(scaled: Resource) -> None:
    assert scale(scaled, 3, Fence(1, 17)) == Replicas(3, 3, Fence(1, 17))
    assert scale(scaled, 3, Fence(1, 17)) == Replicas(3, 3, Fence(1, 17))
    assert held(scaled) == {LLM: Replicas(3, 3, Fence(1, 17)), DETECTOR: Replicas(1, 1, None)}
    assert scale(scaled, 2, Fence(1, 18)) == Replicas(2, 2, Fence(1, 18))


def test_a_round_may_undo_what_it_did(scaled: Resource) -> None:
    scale(scaled, 3, Fence(1, 17))
    assert scale(scaled, 1, Fence(1, 17)) == Replicas(1, 1, Fence(1, 17))


@pytest.mark.parametrize("late", [Fence(1, 16), Fence(1, 2), Fence(0, 99)])
def test_an_earlier_round_changes_nothing(scaled: Resource, late: Fence) -> None:
    scale(scaled, 3, Fence(1, 17))
    with pytest.raises(StaleFence, match=r"1\.17"):
        scale(scaled, 5, late)
    with pytest.raises(StaleFence):
        scale(scaled, 3, late)
    assert held(scaled)[LLM] == Replicas(3, 3, Fence(1, 17))
    assert scale(scaled, 5, late, DETECTOR).wanted == 5, "another model has a fence of its own"


def test_fences_are_numbers_and_not_texts(scaled: Resource) -> None:
    scale(scaled, 3, Fence(1, 9))
    assert scale(scaled, 4, Fence(1, 10)).wanted == 4
    assert scale(scaled, 2, Fence(2, 1)).wanted == 2
    with pytest.raises(StaleFence):
        scale(scaled, 4, Fence(1, 11))


def test_a_restart_forgets_neither_number_nor_fence(scaled: Resource) -> None:
    scale(scaled, 4, Fence(3, 5))
    scaled.restart()
    assert held(scaled)[LLM] == Replicas(4, 4, Fence(3, 5))
    with pytest.raises(StaleFence):
        scale(scaled, 9, Fence(3, 4))


@pytest.mark.parametrize(("model", "replicas"), [("unknown", 2), (FIXED, 2), (LLM, 0), (LLM, MOST + 1)])
def test_what_cannot_be_had_is_refused_for_good(scaled: Resource, model: str, replicas: int) -> None:
    with pytest.raises(PermanentError):
        scale(scaled, replicas, Fence(1, 1), model)
    assert held(scaled)[LLM] == Replicas(1, 1, None)


def test_of_many_callers_at_once_the_highest_fence_wins(scaled: Resource) -> None:
    rounds = list(range(1, 13))
    Random(7).shuffle(rounds)

    async def one(number: int) -> bool:
        """Whether it came in time; beaten again and again, it tries on, as its caller would."""
        scaler = scaled.scaler()
        while True:
            try:
                await scaler.scale(LLM, 1 + number % MOST, Fence(1, number))
            except StaleFence:
                return False
            except TemporaryError:
                continue
            return True

    async def race() -> list[bool]:
        return await asyncio.gather(*(one(number) for number in rounds))

    applied = run(race())
    assert applied[rounds.index(12)]
    assert held(scaled)[LLM] == Replicas(1 + 12 % MOST, 1 + 12 % MOST, Fence(1, 12))


def test_a_controller_that_was_stopped_between_reading_and_writing_comes_too_late(scaled: Resource) -> None:
    """Nothing at the caller prevents this: it read before the later round was carried out, and writes after it."""

    async def story() -> None:
        paused, read, resumed = scaled.scaler(), asyncio.Event(), asyncio.Event()
        write = paused._write

        async def write_later(place: Any, seen: Held, replicas: int, fence: Fence) -> Held | None:
            read.set()
            await resumed.wait()
            return await write(place, seen, replicas, fence)

        paused._write = write_later  # type: ignore[method-assign,assignment]
        late = asyncio.create_task(paused.scale(LLM, 9, Fence(1, 4)))
        await read.wait()
        await scaled.scaler().scale(LLM, 2, Fence(1, 5))
        resumed.set()
        with pytest.raises(StaleFence):
            await late

    run(story())
    assert held(scaled)[LLM] == Replicas(2, 2, Fence(1, 5))


def test_a_change_in_between_that_is_no_later_round_is_gone_over(scaled: Resource) -> None:
    """The undo of a round and its own late write rest on different states, so the write cannot slip in unseen."""

    async def story() -> None:
        paused = scaled.scaler()
        seen_numbers: list[int] = []
        write = paused._write

        async def write_after_another(place: Any, seen: Held, replicas: int, fence: Fence) -> Held | None:
            if not seen_numbers:
                await scaled.scaler().scale(LLM, 2, Fence(1, 3))
            seen_numbers.append(seen.replicas.wanted)
            return await write(place, seen, replicas, fence)

        paused._write = write_after_another  # type: ignore[method-assign,assignment]
        assert (await paused.scale(LLM, 4, Fence(1, 3))).wanted == 4
        assert seen_numbers == [1, 2]

    run(story())


def test_out_of_reach_is_for_now_only(scaled: Resource) -> None:
    scaled.stop()
    with pytest.raises(TemporaryError):
        scale(scaled, 2, Fence(1, 1))
    with pytest.raises(TemporaryError):
        held(scaled)
