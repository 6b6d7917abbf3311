"""Rounds of the whole metro, from whichever controller is asked."""

import asyncio
from collections.abc import Sequence

from edgemind.domain.membership import SiteState
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundPage, RoundSummary, join_records, newest_first, summary_of
from edgemind.errors import PermanentError, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.ports.peers import Peers
from edgemind.ports.round_journal import RoundJournal
from edgemind.services.neighbourhood import Neighbourhood


class RoundFinder:
    """Reads the own journal, and asks other sites' controllers for theirs."""

    def __init__(self, journal: RoundJournal, neighbourhood: Neighbourhood, peers: Peers, clock: Clock) -> None:
        self._journal = journal
        self._neighbourhood = neighbourhood
        self._peers = peers
        self._clock = clock

    def own_rounds(self, limit: int, before: Fence | None) -> list[RoundSummary]:
        """Newest first, as this site saw them."""
        return [summary_of(record) for record in self._journal.recent(limit, before)]

    def own_round(self, fence: Fence) -> RoundRecord | None:
        return self._journal.find(fence)

    def own_page(self, limit: int, before: Fence | None) -> RoundPage:
        return _page(self.own_rounds(limit, before), limit, [])

    async def fleet_page(self, limit: int, before: Fence | None) -> RoundPage:
        """Newest first, of every site that answers; each round as its coordinator tells it, if that one answers."""
        others = self._others()
        answers = await asyncio.gather(*(self._rounds_of(name, limit, before) for name in others))
        found = self.own_rounds(limit, before)
        for answer in answers:
            found.extend(answer or ())
        return _page(newest_first(found, limit, before), limit, _silent(others, answers))

    async def round(self, fence: Fence) -> tuple[RoundRecord | None, list[str]]:
        """What all sites that answer know of one round, and the names of those that do not answer."""
        others = self._others()
        answers = await asyncio.gather(*(self._round_of(name, fence) for name in others))
        own = self.own_round(fence)
        found = [one for answer in answers for one in answer or ()]
        records = found if own is None else [own, *found]
        return (join_records(records) if records else None), _silent(others, answers)

    def _others(self) -> list[str]:
        names = [site.name for site in self._neighbourhood.fleet.sites if site.controller_url]
        return [name for name in names if name != self._neighbourhood.own.name]

    async def _rounds_of(self, site: str, limit: int, before: Fence | None) -> Sequence[RoundSummary] | None:
        if self._down(site):
            return None
        try:
            return await self._peers.recent_rounds(site, limit, before)
        except (TemporaryError, PermanentError):
            return None

    async def _round_of(self, site: str, fence: Fence) -> list[RoundRecord] | None:
        """None if it does not answer, nothing if it knows nothing."""
        if self._down(site):
            return None
        try:
            record = await self._peers.round(site, fence)
        except (TemporaryError, PermanentError):
            return None
        return [] if record is None else [record]

    def _down(self, site: str) -> bool:
        # A site known to be down is not worth the time-out of everybody who looks.
        state = self._neighbourhood.state(site, self._clock.monotonic_s())
        return state in {SiteState.SUSPECTED, SiteState.GONE}


def _page(rounds: list[RoundSummary], limit: int, unreachable: list[str]) -> RoundPage:
    return RoundPage(rounds, rounds[-1].fence if len(rounds) == limit else None, unreachable)


def _silent(sites: Sequence[str], answers: Sequence[object]) -> list[str]:
    return [site for site, answer in zip(sites, answers, strict=True) if answer is None]
