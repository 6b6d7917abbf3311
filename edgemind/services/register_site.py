"""The registry of sites: each controller renews its own entry; who has not renewed in time is not counted as live."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from edgemind.ports.clock import Clock
from edgemind.ports.state_store import SiteRegistration, StateStore

RENEW_S = 1.0
TTL_S = 5.0
"""Four lost renewals. Hosts compare wall clocks here, so they must agree to well under this (NTP does to milliseconds).

The registry tells who belongs to the fleet and where; that a site just failed is told faster by its missing beacons.
"""


def live_registrations(
    registrations: Iterable[SiteRegistration], now_ms: int, ttl_s: float = TTL_S
) -> tuple[SiteRegistration, ...]:
    """Those renewed within `ttl_s` before `now_ms`, in the order given. A heartbeat from a fast clock is live."""
    return tuple(entry for entry in registrations if now_ms - entry.heartbeat_ms <= ttl_s * 1000)


def next_incarnation(site: str, registrations: Iterable[SiteRegistration], now_ms: int) -> int:
    """A number above every earlier one of the site, even when its clock was set back since."""
    held = (entry.incarnation for entry in registrations if entry.site == site)
    return max(now_ms, max(held, default=0) + 1)


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """What a controller tells the fleet about its site."""

    site: str
    controller_url: str
    gateway_url: str | None
    version: str


class RegisterSite:
    """One controller's entry in the registry. Every method blocks for as long as the store does."""

    def __init__(self, store: StateStore, clock: Clock, address: SiteAddress) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._mine: SiteRegistration | None = None

    def renew(self) -> SiteRegistration:
        """Register with a new incarnation the first time, then renew it: to be called every `RENEW_S`.

        PermanentError when another controller has taken the site over since.
        """
        now_ms = self._clock.wall_ms()
        if self._mine is None:
            mine = SiteRegistration(
                site=self._address.site,
                incarnation=next_incarnation(self._address.site, self._store.list_registrations(), now_ms),
                controller_url=self._address.controller_url,
                gateway_url=self._address.gateway_url,
                heartbeat_ms=now_ms,
                version=self._address.version,
            )
        else:
            mine = replace(self._mine, heartbeat_ms=now_ms)
        self._store.put_registration(mine)
        self._mine = mine
        return mine

    def withdraw(self) -> None:
        """Leave the registry at shutdown, unless a successor is already in it."""
        if self._mine is not None and self._incarnation_held() == self._mine.incarnation:
            self._store.remove_registration(self._mine.site)
        self._mine = None

    def live(self) -> tuple[SiteRegistration, ...]:
        """The sites that renewed in time, by name."""
        return live_registrations(self._store.list_registrations(), self._clock.wall_ms())

    def _incarnation_held(self) -> int | None:
        entries = self._store.list_registrations()
        return next((entry.incarnation for entry in entries if entry.site == self._address.site), None)
