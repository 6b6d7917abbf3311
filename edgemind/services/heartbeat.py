"""The site's entry in the registry and everybody else's, through a store that may be in trouble."""

import logging

from edgemind.domain.fleet_status import StoreStatus
from edgemind.errors import EdgeMindError
from edgemind.ports.clock import Clock
from edgemind.services.register_site import RegisterSite

log = logging.getLogger(__name__)


class Heartbeat:
    """Renews the registration and remembers the registry. Trouble is counted and shown, and nothing else stops."""

    def __init__(self, registry: RegisterSite, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._heartbeat_ms: dict[str, int] = {}
        self._failures = 0
        self._last_error: str | None = None

    @property
    def status(self) -> StoreStatus:
        return StoreStatus(self._last_error is None, self._failures, self._last_error)

    def beat(self) -> None:
        """Renew and read; blocks for as long as the store does."""
        try:
            self._registry.renew()
            self._heartbeat_ms = {entry.site: entry.heartbeat_ms for entry in self._registry.live()}
        except EdgeMindError as exc:
            self._failures += 1
            if str(exc) != self._last_error:
                log.warning("the registry cannot be used, the site goes on without it: %s", exc)
            self._last_error = str(exc)
        else:
            if self._last_error is not None:
                log.info("the registry can be used again")
            self._last_error = None

    def age_ms(self, site: str) -> float | None:
        """Age of a site's last heartbeat, None if it is not registered."""
        heartbeat_ms = self._heartbeat_ms.get(site)
        return None if heartbeat_ms is None else float(max(0, self._clock.wall_ms() - heartbeat_ms))

    def withdraw(self) -> None:
        """Leave the registry at shutdown, if the store lets us: otherwise the entry ages away."""
        try:
            self._registry.withdraw()
        except EdgeMindError as exc:
            log.warning("the site could not leave the registry; its entry will expire by itself: %s", exc)
