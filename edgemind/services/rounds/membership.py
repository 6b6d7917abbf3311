"""Whom the swarm consists of, and whom it is no use waiting for: the stored roster and what beacons tell."""

import logging
from collections.abc import Callable, Sequence

from edgemind.domain.swarm.roster import Roster, RosterMember
from edgemind.errors import EdgeMindError
from edgemind.ports.swarm_store import SwarmStore

READ_INTERVAL_S = 2.0
"""A round's roster is frozen at its opening, so a change that is seen late is only a change that takes effect later. Of
a table, 50 sites then read 25 times a second, for a roster of up to 4 KB one read unit each."""

log = logging.getLogger(__name__)


class SwarmMembership:
    """The roster as it was last read; before its first change, and until it was read once, the declared sites.

    `refresh` blocks for as long as the store does; everything else is for the event loop. `declared` are the sites
    that edgemind.yaml gives a controller, `suspected` whom beacons show to be down.
    """

    def __init__(
        self,
        site: str,
        store: SwarmStore,
        declared: Callable[[], Sequence[RosterMember]],
        suspected: Callable[[], frozenset[str]],
    ) -> None:
        self._site = site
        self._store = store
        self._declared = declared
        self._suspected = suspected
        self._read = Roster()
        self._trouble = ""
        self._was_member = True

    @property
    def roster(self) -> Roster:
        return self._read.or_declared(self._declared())

    def refresh(self) -> bool:
        """Read the roster; False if the store cannot be asked: the last one stands, and without it no round opens
        anyway."""
        try:
            self._read = self._store.read_roster()
        except EdgeMindError as exc:
            if str(exc) != self._trouble:
                log.warning("the roster cannot be read, the last one known (version %d) stands: %s", self._version, exc)
            self._trouble = str(exc)
            return False
        if self._trouble:
            log.info("the roster can be read again: version %d", self._version)
        self._trouble = ""
        self._tell_membership()
        return True

    def changed(self, roster: Roster) -> None:
        """What this controller itself has just stored."""
        if roster.version > self._version:
            self._read = roster

    def hand_over(self, take: Callable[[tuple[str, ...], frozenset[str]], None]) -> None:
        """Tell the driver: `take(roster, suspected)`, the suspected among the roster's sites."""
        sites = self.roster.sites
        take(sites, self._suspected() & frozenset(sites))

    @property
    def _version(self) -> int:
        return self._read.version

    def _tell_membership(self) -> None:
        member = self._site in self.roster.sites
        if member is not self._was_member:
            says = "is a member again: it votes and opens rounds" if member else "is no member: it starts no rounds"
            log.warning("roster version %d: %s %s", self._version, self._site, says)
        self._was_member = member
