"""What a controller's process does about rounds: it decides them, carries them out, and keeps their history."""

import asyncio
import logging
from collections.abc import Callable

from edgemind import bootstrap
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.entrypoints.controller.loops import effects_loop, rounds_loops
from edgemind.ports.clock import Clock
from edgemind.ports.swarm_store import SwarmStore
from edgemind.ports.voter import Voter
from edgemind.services.rounds.effects import SwarmEffects
from edgemind.services.rounds.library_voter import LibraryVoter
from edgemind.services.rounds.membership import SwarmMembership
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.rounds.scale_replicas import ReplicaScaling
from edgemind.services.rounds.site_rounds import OwnPart, RoundRules, SiteRounds
from edgemind.services.site_controller import SiteController
from edgemind.settings import Settings, Store

log = logging.getLogger("edgemind.controller")


class RoundsPart:
    """`rounds` is None where no rounds can be decided, or shall be; what was decided before is carried out all the
    same, and replicas are counted."""

    def __init__(
        self,
        settings: Settings,
        controller: Callable[[], SiteController],
        history: RoundHistory,
        pools: UpstreamPools,
        clock: Clock,
    ) -> None:
        self._controller = controller
        self._site = controller().own.site.name
        self._pools = pools
        self._clock = clock
        self._history = history
        told = history.effect
        scaler = bootstrap.open_scaler(settings, settings.site(self._site), pools)
        journal = bootstrap.open_effect_journal(settings, self._site)
        scaling = ReplicaScaling(self._site, scaler, journal, settings.swarm.scaling, clock, told)
        self._effects = SwarmEffects(controller, scaling, clock, told)
        self.rounds: SiteRounds | None = None

    def decide(
        self, settings: Settings, membership: SwarmMembership, place: tuple[int, SwarmStore], voter: Voter | None
    ) -> None:
        """Take part in rounds, unless the configuration is against it. `place` as `SiteRounds` takes it."""
        if (why := _why_no_rounds(settings)) is not None:
            log.warning("%s takes part in no rounds: %s", self._site, why)
            return
        part = OwnPart(voter or LibraryVoter(self._site), self._effects, self._history.recorder)
        self.rounds = SiteRounds(self._controller(), _rules(settings), part, membership, place, self._clock)

    def start(self) -> list[asyncio.Task[None]]:
        if self.rounds is None:
            return [effects_loop(self._effects)]
        self.rounds.start()
        return [effects_loop(self._effects), *rounds_loops(self.rounds)]

    def use(self, settings: Settings) -> None:
        """Go on with another configuration's controller."""
        scaler = bootstrap.open_scaler(settings, settings.site(self._site), self._pools)
        self._effects.use(scaler, settings.swarm.scaling)
        if self.rounds is not None:
            self.rounds.attach(self._controller(), _rules(settings))

    async def close(self) -> None:
        if self.rounds is not None:
            await self.rounds.close()
        await self._effects.close()
        await asyncio.to_thread(self._history.close)


def _rules(settings: Settings) -> RoundRules:
    return RoundRules(settings.swarm, settings.thresholds)


def _why_no_rounds(settings: Settings) -> str | None:
    if not settings.swarm.enabled:
        return "swarm.enabled is false"
    return "state.store: memory is this process's alone" if settings.state.store is Store.MEMORY else None
