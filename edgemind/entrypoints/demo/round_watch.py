"""The swarm's rounds of this run, as the fleet API tells them: each is said once, and so is every effect of it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from edgemind.domain.swarm.summaries import EffectLine, RoundPage, RoundSummary
from edgemind.services.demo_course import Votes

READ_EVERY_S = 0.5
PAGE, LAST_PAGE = 20, 100
PATIENCE = 4
"""Readings for which a round may wait for its coordinator's own record: only that one tells how long it took."""


class RoundSource(Protocol):
    """`FleetApi`, or whoever else tells of rounds."""

    async def rounds(self, limit: int) -> RoundPage | None:
        """The newest; None if nobody answers."""

    async def votes(self, fence: str) -> Votes:
        """Of one round, by site."""


class RoundWatch:
    """`say` gets a line for every round that is decided from now on, and for every effect."""

    def __init__(self, source: RoundSource, say: Callable[[str], None]) -> None:
        self._source = source
        self._say = say
        self._before: set[str] | None = None
        """Rounds that were there at the first look: another run's."""
        self._rounds: dict[str, RoundSummary] = {}
        self.votes: dict[str, Votes] = {}
        self._waited: dict[str, int] = {}
        self._told: dict[str, set[tuple[str, str, str]]] = {}

    @property
    def rounds(self) -> list[RoundSummary]:
        """Oldest first."""
        return sorted(self._rounds.values(), key=lambda one: (one.epoch, one.n))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.read(PAGE)
            await asyncio.sleep(READ_EVERY_S)

    async def read(self, limit: int = LAST_PAGE) -> None:
        """Look once; at the end of a run, so that effects that came late are in its report."""
        page = await self._source.rounds(limit)
        if page is None:
            return
        if self._before is None:
            self._before = {one.fence for one in page.rounds}
        for one in reversed(page.rounds):
            if one.fence not in self._before:
                self._rounds[one.fence] = one
                self._tell(one)

    async def read_votes(self) -> None:
        """Of every round of this run, for its report."""
        for fence in self._rounds:
            self.votes[fence] = await self._source.votes(fence)

    def _tell(self, one: RoundSummary) -> None:
        if one.fence not in self._told:
            waited = self._waited[one.fence] = self._waited.get(one.fence, 0) + 1
            if not one.coordinated and waited < PATIENCE:
                return
            self._told[one.fence] = set()
            self._say(one.line)
        told = self._told[one.fence]
        for effect in one.effects:
            key = (effect.site, effect.what, effect.state)
            if key not in told:
                told.add(key)
                self._say(effect_line(one, effect))


def effect_line(one: RoundSummary, effect: EffectLine) -> str:
    """`round 1.3: site-c: replicas of llm = 4: applied`."""
    return f"round {one.fence}: {effect.site}: {effect.what}: {effect.state}"
