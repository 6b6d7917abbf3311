"""Work with other work beside it: what must not fail in silence, and what an interruption ends."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any


async def beside(main: Coroutine[Any, Any, None], others: list[Coroutine[Any, Any, None]]) -> None:
    """Run `main` to its end, with `others` beside it until then. The first error of any of them is raised."""
    task = asyncio.ensure_future(main)
    tasks = {task, *(asyncio.ensure_future(other) for other in others)}
    pending = tasks
    try:
        while not task.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def unless(stop: asyncio.Event, work: Awaitable[None]) -> bool:
    """Whether `work` came to its end; when `stop` is set first, it is cancelled."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        for one in (task, stopped):
            one.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)
