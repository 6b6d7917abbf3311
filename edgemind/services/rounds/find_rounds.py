"""Rounds of the whole metro, from whichever controller is asked."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundPage, RoundSummary, join_records, newest_first, summary_of
from edgemind.ports.clock import Clock
from edgemind.ports.peers import Peers
from edgemind.ports.round_journal import RoundJournal
from edgemind.services.ask_sites import ask_others, silent
from edgemind.services.neighbourhood import Neighbourhood

_Answer = TypeVar("_Answer")


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
        answers = await self._ask(lambda site: self._peers.recent_rounds(site, limit, before))
        found = self.own_rounds(limit, before)
        for answer in answers.values():
            found.extend(answer or ())
        return _page(newest_first(found, limit, before), limit, silent(answers))

    async def round(self, fence: Fence) -> tuple[RoundRecord | None, list[str]]:
        """What all sites that answer know of one round, and the names of those that do not answer."""

        async def ask(site: str) -> list[RoundRecord]:
            record = await self._peers.round(site, fence)
            return [] if record is None else [record]

        answers = await self._ask(ask)
        own = self.own_round(fence)
        found = [one for answer in answers.values() for one in answer or ()]
        records = found if own is None else [own, *found]
        return (join_records(records) if records else None), silent(answers)

    async def _ask(self, ask: Callable[[str], Awaitable[_Answer]]) -> Mapping[str, _Answer | None]:
        return await ask_others(self._neighbourhood, self._clock.monotonic_s(), ask)


def _page(rounds: list[RoundSummary], limit: int, unreachable: list[str]) -> RoundPage:
    return RoundPage(rounds, rounds[-1].fence if len(rounds) == limit else None, unreachable)
