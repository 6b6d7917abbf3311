"""A refusal that comes after a controller has let go of its store is no defect."""

import asyncio
import gc
import threading
from typing import Any, cast

from edgemind.domain.swarm.protocol import ReadCurrent
from edgemind.ports.swarm_store import NotProvisioned, SwarmStore
from edgemind.services.rounds.store_calls import StoreThreads


class Refusing:
    """Every other method is not asked for."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        self.open_round = self.put_ballot = self.decide = self.claim = None

    def read_current(self) -> Any:
        self.asked.set()
        self.answer.wait(10)
        raise NotProvisioned("metro test has no current round")


def test_a_refusal_after_the_end_is_seen_and_not_told() -> None:
    store, told, answers = Refusing(), list[Any](), list[Any]()

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        threads = StoreThreads(cast("SwarmStore", store))
        threads.ask(ReadCurrent(), answers.append)
        await asyncio.to_thread(store.asked.wait, 10)
        threads.close()
        store.answer.set()
        while any(one.is_alive() for one in threads._threads._threads):  # noqa: ASYNC110 - threads tell no loop
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(scene())
    assert (told, answers) == ([], [])
