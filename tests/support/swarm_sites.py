"""Controllers that decide rounds, whole but for their processes: one event loop, one store, peers that are told at
once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgemind.adapters.audit_journal.memory import MemoryAuditJournal
from edgemind.adapters.effect_journal.memory import MemoryEffectJournal
from edgemind.adapters.scaler.none import NoScaler
from edgemind.adapters.swarm_store.memory import MemorySwarmStore
from edgemind.domain.swarm.roster import RosterMember
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.swarm.writes import Genesis
from edgemind.domain.thresholds import Thresholds
from edgemind.ports.swarm_store import SwarmStore
from edgemind.services.rounds.effects import SwarmEffects
from edgemind.services.rounds.library_voter import LibraryVoter
from edgemind.services.rounds.membership import SwarmMembership
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.rounds.scale_replicas import ReplicaScaling
from edgemind.services.rounds.site_rounds import OwnPart, RoundRules, SiteRounds
from edgemind.services.site_controller import SiteController
from tests.support.clocks import RunningClock
from tests.support.controllers import Metro, metro, report, site

NAMES = ("site-a", "site-b", "site-c")
SLOTS = 4
CROWD = 3 * SLOTS
TURN_S = 0.002


@dataclass
class TroubledStore:
    """A store that takes its time, or raises `error` instead of answering, for as long as a test wants it."""

    store: SwarmStore
    error: Exception | None = None
    call_s: float = 0.0

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, getattr(self.store, name))

    def _call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        time.sleep(self.call_s)
        if self.error is not None:
            raise self.error
        return call(*arguments)


class SwarmSites:
    """To be made and closed on the loop that runs it. `turn` is what every site's loops do, once each."""

    def __init__(self) -> None:
        memory = MemorySwarmStore("test")
        memory.genesis(Genesis())
        self.store = TroubledStore(memory)
        self.metro = Metro(metro(*(site(name, slots=SLOTS) for name in NAMES)), clock=RunningClock())
        self.in_flight = dict.fromkeys(NAMES, 1)
        self.rules = RoundRules(SwarmPolicy(), Thresholds())
        self.histories = {name: self._history(name) for name in NAMES}
        self.rounds = {name: self._rounds(name) for name in NAMES}
        for one in self.rounds.values():
            one.start()

    def controller(self, name: str) -> SiteController:
        return self.metro.controllers[name]

    def known(self) -> set[str]:
        """The newest rounds that sites know the outcome of."""
        return {str(one.driver.known) for one in self.rounds.values()}

    def table_versions(self) -> list[int]:
        latest = [self.controller(name).tables.latest for name in NAMES]
        return [table.version if table is not None else 0 for table in latest]

    async def turn(self, times: int = 1) -> None:
        """Gateways report, beacons are exchanged, tables are computed, and sites look for breaches."""
        for _ in range(times):
            for name in NAMES:
                load = {"in_flight": self.in_flight[name], "slots": SLOTS, "service_ms": 10.0, "arrivals_per_s": 5.0}
                self.controller(name).own.take(report(name, models={"detector": load}))
            await self.metro.exchange()
            for name in NAMES:
                self.controller(name).tick()
                self.rounds[name].sample()
            await asyncio.sleep(TURN_S)

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self.turn()

    async def decided(self, fence: str) -> None:
        """Until every site knows that round."""
        await self.until(lambda: self.known() == {fence})

    def reload(self, name: str) -> None:
        """As the process does it: another configuration's controller goes on."""
        before = self.controller(name)
        successor = self.metro.start(name)
        successor.succeed(before)
        self.metro.controllers[name] = successor
        self.rounds[name].attach(successor, self.rules)

    async def close(self) -> None:
        for name, one in self.rounds.items():
            await one.close()
            self.histories[name].close()

    def _history(self, name: str) -> RoundHistory:
        return RoundHistory(name, "test", self.metro.journals[name], self.metro.clock, MemoryAuditJournal())

    def _rounds(self, name: str) -> SiteRounds:
        told, recorder, clock = self.histories[name].effect, self.histories[name].recorder, self.metro.clock
        scaling = ReplicaScaling(name, NoScaler(), MemoryEffectJournal(), SwarmPolicy().scaling, clock, told)
        effects = SwarmEffects(partial(self.controller, name), scaling, clock, told)
        membership = SwarmMembership(name, self.store, _declared, frozenset)
        part = OwnPart(LibraryVoter(name), effects, recorder)
        return SiteRounds(self.controller(name), self.rules, part, membership, (1, self.store), clock)


def _declared() -> list[RosterMember]:
    return [RosterMember(name, f"http://{name}:8200") for name in NAMES]
