"""Three drivers or so on one event loop, over one store, that tell each other at once; trouble as a test wants it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgemind.adapters.clock import SystemClock
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.messages import Message
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.records import Candidate, Fence, Outcome
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.swarm.votes import View, Vote
from edgemind.domain.swarm.writes import Genesis
from edgemind.errors import UpstreamUnreachable
from edgemind.ports.swarm_store import SwarmStore
from edgemind.services.rounds.library_voter import LibraryVoter
from edgemind.services.rounds.member_links import MemberLinks
from edgemind.services.rounds.store_calls import StoreThreads
from edgemind.services.rounds.swarm_driver import SwarmDriver

LOADS = {"a": SiteLoad(8, 16.0), "b": SiteLoad(8, 2.0), "c": SiteLoad(8, 4.0)}


@dataclass
class Witness:
    """`Effects` and `RoundObserver` of one site: what it learned, carried out, and saw."""

    outcomes: list[tuple[Fence, Outcome]] = field(default_factory=list)
    executed: list[tuple[Fence, Outcome]] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def learned(self, fence: Fence, outcome: Outcome) -> None:
        self.outcomes.append((fence, outcome))

    async def execute(self, fence: Fence, outcome: Outcome) -> None:
        self.executed.append((fence, outcome))

    def breach_over(self, model: str) -> None:
        """Not of interest here."""

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None:
        self.events.append(event)

    def voted(self, vote: Vote) -> None:
        self.votes.append(vote)


class SwarmMetro:
    """`store_of` gives each site its view of the one store. Sites in `deaf` hear nothing."""

    def __init__(
        self, sites: Sequence[str] = ("a", "b", "c"), store_of: Callable[[SwarmStore], SwarmStore] | None = None
    ) -> None:
        self.store = MemorySwarmStore("test")
        self.store.genesis(Genesis())
        self.deaf: set[str] = set()
        self.witnesses = {site: Witness() for site in sites}
        seen: SwarmStore = self.store if store_of is None else store_of(self.store)
        self.drivers = {site: self._driver(site, seen) for site in sites}
        for driver in self.drivers.values():
            driver.membership(tuple(sites), frozenset())

    def _driver(self, site: str, store: SwarmStore) -> SwarmDriver:
        witness = self.witnesses[site]
        links = MemberLinks(self._tell, LibraryVoter(site), _view, witness, witness)
        return SwarmDriver(site, 1, StoreThreads(store), links, SystemClock())

    async def _tell(self, to: str, message: Message) -> None:
        if to in self.deaf:
            raise UpstreamUnreachable(f"{to} hears nothing")
        await asyncio.sleep(0)
        self.drivers[to].receive(message)

    async def learned(self, *sites: str, rounds: int = 1) -> list[tuple[Fence, Outcome]]:
        """Wait until each of these sites (all, if none is named) knows that many outcomes; those of the first."""
        names = sites or tuple(self.drivers)
        while any(len(self.witnesses[site].outcomes) < rounds for site in names):  # noqa: ASYNC110 - simpler
            await asyncio.sleep(0.002)
        return self.witnesses[names[0]].outcomes

    async def close(self) -> None:
        for driver in self.drivers.values():
            await driver.close()


def _view(candidates: Sequence[Candidate], since_change_ms: float | None) -> View:
    return View(LOADS, since_change_ms=since_change_ms)
