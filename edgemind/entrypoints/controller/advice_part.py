"""What a controller's process does about advice: it takes proposals, and follows the change that is in force."""

import asyncio
from collections.abc import Awaitable, Callable

from edgemind import bootstrap
from edgemind.domain.advice.settings import PolicyValues
from edgemind.entrypoints.controller.advice_routes import AdviceDesk, AdviceRoutes
from edgemind.entrypoints.controller.loops import supervise
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock
from edgemind.services.advice.follow_policy import FOLLOW_S, PolicyFollower
from edgemind.services.advice.manage_advice import ManageAdvice, PolicySource
from edgemind.services.advice.recent_rounds import recent_rounds
from edgemind.services.site_controller import SiteController
from edgemind.settings import Settings


class AdvicePart:
    """`settings` are the file's own, without any change laid over them; `use` goes on with what is in force by now."""

    def __init__(
        self,
        settings: Settings,
        site: str,
        file: Callable[[], Settings],
        controller: Callable[[], SiteController],
        clock: Clock,
        audit: AuditJournal | None = None,
    ) -> None:
        self._file = file
        store = bootstrap.open_advice_store(settings)
        self.follower = PolicyFollower(store, clock)
        source = PolicySource(
            self._standing, lambda: recent_rounds(controller().rounds), lambda: file().advice.auto_accept
        )
        self.advice = ManageAdvice(site, store, source, clock, self.follower.known, audit)
        desk = AdviceDesk(self.advice, self._standing, clock)
        self.routes = AdviceRoutes(lambda: desk)
        self._used = self._standing()

    def over(self, settings: Settings) -> Settings:
        """The settings with the change in force, as they are now to be used."""
        self._used = self.follower.values(policy_values(settings))
        return settings.model_copy(update={"swarm": self._used.swarm, "thresholds": self._used.thresholds})

    def start(self, use: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """`use` takes up `over` the present settings, as a reload does."""

        async def follow() -> None:
            await asyncio.to_thread(self.follower.refresh)
            # Also when nothing was read: an expiry comes by itself.
            if self.follower.values(self._standing()) != self._used:
                await use()

        return asyncio.create_task(supervise("advice", lambda: FOLLOW_S, follow), name="advice")

    def _standing(self) -> PolicyValues:
        return policy_values(self._file())


def policy_values(settings: Settings) -> PolicyValues:
    return PolicyValues(settings.swarm, settings.thresholds)
