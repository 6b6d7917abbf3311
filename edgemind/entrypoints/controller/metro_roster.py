"""Sites that joined belong to this controller's fleet like declared ones, until they are removed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from edgemind.domain.site_documents import JoinedSites
from edgemind.domain.swarm.roster import RosterMember
from edgemind.services.rounds.membership import SwarmMembership
from edgemind.services.site_controller import SiteController
from edgemind.settings import Settings, with_joined_sites

log = logging.getLogger("edgemind.controller")


def declared_members(settings: Settings) -> list[RosterMember]:
    """The sites that edgemind.yaml gives a controller."""
    return [RosterMember(site.name, site.controller) for site in settings.sites if site.controller is not None]


class MetroRoster:
    """`declared` is edgemind.yaml as it stands; `use` puts other settings in force, as a reload does."""

    def __init__(
        self,
        membership: SwarmMembership,
        declared: Callable[[], Settings],
        controller: Callable[[], SiteController],
        use: Callable[[Settings], Awaitable[None]],
    ) -> None:
        self.membership = membership
        self.settings = declared()
        """In force: edgemind.yaml and the sites that joined."""
        self._declared = declared
        self._controller = controller
        self._use = use
        self._joined: tuple[str, ...] = ()

    def merged(self, settings: Settings) -> Settings:
        """With the sites that joined. What does not fit is left out here, and said."""
        self.settings, refused = with_joined_sites(settings, self._joined)
        for why in refused:
            log.error("a site that joined does not fit this edgemind.yaml, and is left out here: %s", why)
        return self.settings

    async def follow(self) -> None:
        """One look at the stored roster."""
        if not await asyncio.to_thread(self.membership.refresh):
            return
        roster = self.membership.roster
        joined = tuple(member.declaration for member in roster.members if member.declaration is not None)
        if joined != self._joined:
            self._joined = joined
            await self._use(self.merged(self._declared()))
            log.info("roster version %d: %s", roster.version, ", ".join(roster.sites))
        around = self._controller().neighbourhood
        around.know_members(roster.sites)
        here = {site.name for site in self._declared().sites}
        sites = tuple(site for site in around.fleet.sites if site.name not in here)
        around.joined = JoinedSites(roster.version, sites)
