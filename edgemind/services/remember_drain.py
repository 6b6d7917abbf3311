"""The drain switch of a site outlives its controller: what an operator took out of service stays out."""

import logging

from edgemind.errors import EdgeMindError
from edgemind.ports.clock import Clock
from edgemind.ports.state_store import StateStore
from edgemind.services.own_site import OwnSite

log = logging.getLogger(__name__)


class DrainMemory:
    """Keeps the store's record of one site's drain equal to the switch; the first time, the switch to the record.

    The switch itself never waits for the store: out of reach, it is asked again at the next turn.
    """

    def __init__(self, store: StateStore, site: str, clock: Clock) -> None:
        self._store = store
        self._site = site
        self._clock = clock
        self._stored: bool | None = None
        self._last_error: str | None = None

    def sync(self, own: OwnSite) -> None:
        """To be called every second; blocks for as long as the store does, when there is something to store."""
        try:
            self._sync(own)
        except EdgeMindError as exc:
            if str(exc) != self._last_error:
                log.warning("whether the site drains cannot be stored, so a restart may forget it: %s", exc)
            self._last_error = str(exc)
        else:
            self._last_error = None

    def _sync(self, own: OwnSite) -> None:
        if self._stored is None:
            self._stored = self._site in self._store.drained_sites()
            if self._stored and not own.drain_requested:
                log.warning(
                    "%s was drained before this controller started, and stays so until it is undrained", self._site
                )
                own.drain_requested = True
        wanted = own.drain_requested
        if wanted != self._stored:
            self._store.set_drain(self._site, self._clock.wall_ms() if wanted else None)
            self._stored = wanted
