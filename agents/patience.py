"""Work that may be deaf to being cancelled: it is waited for so long, and then left alone."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class OutOfPatience(Exception):
    """There is no result; the message is not for people."""


class TooManyHang(OutOfPatience):
    """Nothing was begun: `count` that were left alone still run."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} still run")
        self.count = count


class Patience:
    """At most `hanging` tasks that were left alone may run; then nothing is begun."""

    def __init__(self, hanging: int) -> None:
        self._hanging = hanging
        self._left: set[asyncio.Task[Any]] = set()

    async def wait(self, work: Coroutine[Any, Any, _Result], within_ms: float) -> _Result:
        """What comes of it, its exception too. Raises OutOfPatience."""
        if len(self._left) >= self._hanging:
            work.close()
            raise TooManyHang(len(self._left))
        task = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=within_ms / 1000)
        except asyncio.CancelledError:
            self._leave(task)
            raise
        if not done:
            self._leave(task)
            raise OutOfPatience(f"nothing within {within_ms:g} ms")
        return task.result()

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        task.add_done_callback(_look_at)
        task.cancel()


def _look_at(task: asyncio.Task[Any]) -> None:
    # Nobody waits for it any more: an exception that no one looked at would be logged as a fault of ours.
    with suppress(asyncio.CancelledError):
        task.exception()
