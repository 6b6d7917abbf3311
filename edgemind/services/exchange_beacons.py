"""Beacons between controllers: mine to each neighbour, its own as the answer, the time between as the distance."""

import logging
from collections.abc import Callable

from edgemind.domain.beacons import Beacon
from edgemind.domain.membership import SiteState
from edgemind.domain.swarm.messages import Announce
from edgemind.errors import PermanentError, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.clock import Clock
from edgemind.ports.peers import Peers
from edgemind.services.neighbourhood import Neighbour, Neighbourhood
from edgemind.services.own_site import OwnSite

log = logging.getLogger(__name__)


class BeaconExchange:
    """The beacon protocol of one controller, both sides of it."""

    def __init__(self, own: OwnSite, neighbourhood: Neighbourhood, peers: Peers, clock: Clock) -> None:
        self._own = own
        self._neighbourhood = neighbourhood
        self._peers = peers
        self._clock = clock
        self._newest: Callable[[], Announce | None] = lambda: None
        self._heard: Callable[[Beacon], None] = lambda _: None

    def tell_of_rounds(self, newest: Callable[[], Announce | None], heard: Callable[[Beacon], None]) -> None:
        """Whoever runs this site's rounds: `newest` is what beacons shall say of them, `heard` is given the others'."""
        self._newest, self._heard = newest, heard

    async def exchange(self, neighbour: Neighbour) -> None:
        """One beacon to one neighbour. A failure is an observation and no error: it moves the membership."""
        name = neighbour.site.name
        why = ""
        sent_s = self._clock.monotonic_s()
        try:
            answer = await self._peers.exchange(name, self.my_beacon(name))
            if answer.site != name:
                raise PermanentError(f"{answer.site} answered at the controller address of {name}: check edgemind.yaml")
        except UpstreamUnreachable as exc:
            neighbour.membership.failed(refused=True)
            why = str(exc)
        except (UpstreamFailed, PermanentError) as exc:
            neighbour.membership.failed(refused=False)
            why = str(exc)
        else:
            now_s = self._clock.monotonic_s()
            self._neighbourhood.answered(neighbour, answer, sent_s, now_s)
            self._heard(answer)
        _tell_change(neighbour, neighbour.membership.state(self._clock.monotonic_s()), why)

    def receive(self, beacon: Beacon) -> Beacon:
        """A neighbour's beacon; the answer is mine. PermanentError if the site is not in this configuration.

        It brings the neighbour's load but does not make it alive: requests go the other way, and only an answer to my
        own beacon shows that this way is open.
        """
        if self._neighbourhood.fleet.site(beacon.site) is None or beacon.site == self._own.site.name:
            raise PermanentError(
                f"{self._own.site.name} does not expect beacons from {beacon.site!r}: give both the same edgemind.yaml"
            )
        self._neighbourhood.take_beacon(beacon, self._clock.monotonic_s())
        self._heard(beacon)
        return self.my_beacon(beacon.site)

    def my_beacon(self, to: str) -> Beacon:
        around = self._neighbourhood
        rumours = around.rumours(to, self._clock.monotonic_s())
        return self._own.beacon(around.measured_rtt_ms(), rumours, self._newest())


def _tell_change(neighbour: Neighbour, state: SiteState, why: str) -> None:
    """Log a state once, however it came about: by a failed beacon, or by time alone."""
    if state is neighbour.told:
        return
    neighbour.told = state
    site = neighbour.site.name
    if state is SiteState.ALIVE:
        log.info("site %s is back: it answers beacons", site)
    else:
        log.warning("site %s is %s: %s", site, state.value, why)
