"""Messages of a round on their way: each sent once, in the background, and given up when it would be too late."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edgemind.domain.swarm.messages import Message
from edgemind.errors import EdgeMindError

UNDER_WAY_LIMIT = 1024
"""Twenty rounds' hints to 50 sites: more would only wait for each other."""

log = logging.getLogger("edgemind.rounds")


class Teller:
    """Losing a message costs a round time and nothing else, so nobody waits for one and none is sent again."""

    def __init__(self, tell: Callable[[str, Message], Awaitable[None]]) -> None:
        self._tell = tell
        self._under_way: set[asyncio.Task[None]] = set()
        self._deaf: set[str] = set()
        """Sites whose last message was lost: told once."""
        self.lost = 0

    def tell(self, to: str, message: Message) -> None:
        if len(self._under_way) >= UNDER_WAY_LIMIT:
            self.lost += 1
            return
        task = asyncio.ensure_future(self._send(to, message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _send(self, to: str, message: Message) -> None:
        try:
            await self._tell(to, message)
        except Exception as exc:
            # The edge of the swarm: a defect of what carries messages costs messages, as a cut network does.
            self.lost += 1
            if to not in self._deaf:
                self._deaf.add(to)
                defect = None if isinstance(exc, EdgeMindError) else exc
                log.warning("%s does not hear of rounds: %s", to, exc, exc_info=defect)
        else:
            if to in self._deaf:
                self._deaf.discard(to)
                log.info("%s hears of rounds again", to)
