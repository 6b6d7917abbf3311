"""Bring the store's keys into a gateway: one cheap question a second, a new ring when the answer changed."""

import asyncio
from collections.abc import Awaitable, Callable

from edgemind.domain.keys import KeyRing
from edgemind.errors import StateCorrupt, StoreUnavailable
from edgemind.ports.clock import Clock
from edgemind.ports.state_store import StateStore

POLL_S = 1.0
"""With the time to load, this keeps the promise that a revocation is in effect everywhere within 2 s."""


class KeyWatcher:
    """Holds the last good ring: a store that is out of reach or damaged leaves its keys in force and is counted.

    `failures` counts polls that failed, in all; `last_error` is what the latest one said, None when it went well.
    """

    def __init__(self, store: StateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._version: str | None = None
        self._checked_s = clock.monotonic_s()
        self.ring = KeyRing()
        self.failures = 0
        self.last_error: str | None = None

    def load(self) -> KeyRing:
        """The ring to start with; the store's errors pass, for a gateway without keys should not start."""
        self._refresh()
        return self.ring

    def poll(self) -> KeyRing | None:
        """The new ring if the keys changed, else None. Blocks for as long as the store does."""
        try:
            changed = self._refresh()
        except (StoreUnavailable, StateCorrupt) as exc:
            self.failures += 1
            self.last_error = str(exc)
            return None
        return self.ring if changed else None

    def age_s(self) -> float:
        """Seconds since the ring was last known to be the store's."""
        return self._clock.monotonic_s() - self._checked_s

    async def run(
        self, on_change: Callable[[KeyRing], None], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Poll until cancelled. `on_change` is called on the event loop; the store only ever in a thread."""
        while True:
            ring = await asyncio.to_thread(self.poll)
            if ring is not None:
                on_change(ring)
            await sleep(POLL_S)

    def _refresh(self) -> bool:
        asked_s = self._clock.monotonic_s()
        # The version first: a change between the two reads is then loaded twice rather than never.
        version = self._store.keys_version()
        changed = version != self._version
        if changed:
            self.ring = KeyRing(self._store.list_keys())
            self._version = version
        self._checked_s = asked_s
        self.last_error = None
        return changed
