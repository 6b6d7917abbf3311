"""Members that really run: on an event loop, with a store that blocks, and voters that take their time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.records import Candidate, Fence, Outcome
from edgemind.domain.swarm.votes import View
from edgemind.ports.swarm_store import (
    NotProvisioned,
    OutcomeUnknown,
    StoreUnavailable,
    SwarmStore,
    Throttled,
)
from edgemind.services.rounds.member_links import MemberLinks
from tests.support.swarm_metro import LOADS, SwarmMetro, Witness

PAPER = propose(LOADS, "a", "llm")


def played(metro: Callable[[], SwarmMetro], play: Callable[[SwarmMetro], Awaitable[None]]) -> SwarmMetro:
    """Drivers are made and closed on the loop that runs them."""

    async def main() -> SwarmMetro:
        made = metro()
        try:
            async with asyncio.timeout(20):
                await play(made)
        finally:
            await made.close()
        return made

    return asyncio.run(main())


@dataclass
class Troubled:
    """A store whose first `times` calls of every kind go wrong; those lost after the fact are applied."""

    store: SwarmStore
    error: Callable[[str], Exception]
    times: int
    applied: bool = False

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.store, name)

        def troubled(*arguments: Any) -> Any:
            if self.times <= 0:
                return call(*arguments)
            self.times -= 1
            if self.applied:
                call(*arguments)
            raise self.error("trouble as the test wants it")

        return troubled


def test_a_breach_is_decided_once_and_carried_out_by_whom_it_names() -> None:
    async def play(metro: SwarmMetro) -> None:
        metro.drivers["a"].breached(PAPER)
        await metro.learned()
        await asyncio.sleep(0)

    metro = played(SwarmMetro, play)
    outcomes = {site: witness.outcomes for site, witness in metro.witnesses.items()}
    assert outcomes["a"] == outcomes["b"] == outcomes["c"]
    fence, outcome = outcomes["a"][0]
    assert fence == Fence(1, 1)
    executed = [site for site, witness in metro.witnesses.items() if witness.executed]
    assert executed == [outcome.candidate.site]
    assert metro.store.read_current().outcome == outcome


def test_a_site_that_heard_nothing_learns_it_from_what_beacons_carry() -> None:
    async def play(metro: SwarmMetro) -> None:
        metro.deaf = {"c"}
        metro.drivers["a"].breached(PAPER)
        await metro.learned("a", "b")
        assert metro.drivers["c"].newest is None
        newest = metro.drivers["a"].newest
        assert newest is not None
        metro.drivers["c"].receive(newest)

    metro = played(SwarmMetro, play)
    assert metro.witnesses["c"].outcomes == metro.witnesses["a"].outcomes
    assert metro.drivers["a"].unheard > 0


@pytest.mark.parametrize(
    ("error", "applied"),
    [(OutcomeUnknown, False), (OutcomeUnknown, True), (Throttled, False), (StoreUnavailable, False)],
)
def test_trouble_with_the_store_costs_time_only(error: Callable[[str], Exception], applied: bool) -> None:
    async def play(metro: SwarmMetro) -> None:
        metro.drivers["a"].breached(PAPER)
        await metro.learned()

    metro = played(lambda: SwarmMetro(store_of=lambda store: Troubled(store, error, 4, applied)), play)
    assert metro.witnesses["a"].outcomes == metro.witnesses["b"].outcomes
    assert all(driver.trouble is None for driver in metro.drivers.values()), "it answers again"


def test_a_store_without_the_metro_is_named_once_and_nothing_is_decided(caplog: pytest.LogCaptureFixture) -> None:
    async def play(metro: SwarmMetro) -> None:
        metro.drivers["a"].breached(PAPER)
        while metro.drivers["a"].trouble is None:  # noqa: ASYNC110 - the store's threads tell nobody
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        assert metro.drivers["a"].trouble.lasting

    with caplog.at_level(logging.ERROR):
        metro = played(lambda: SwarmMetro(store_of=lambda store: Troubled(store, NotProvisioned, 10**6)), play)
    assert not any(witness.outcomes for witness in metro.witnesses.values())
    told = [record for record in caplog.records if "trouble as the test wants it" in record.getMessage()]
    assert 1 <= len(told) <= 3, "each driver once"


class Slow:
    async def vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> None:
        await asyncio.sleep(60)


def test_a_voter_that_hangs_abstains_and_the_others_decide(caplog: pytest.LogCaptureFixture) -> None:
    async def play(metro: SwarmMetro) -> None:
        links = metro.drivers["c"].links
        metro.drivers["c"].links = MemberLinks(links.tell, Slow(), links.view, links.effects, links.observer)
        metro.drivers["a"].breached(PAPER)
        await metro.learned()
        while "abstains from round 1.1" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.005)

    metro = played(SwarmMetro, play)
    assert metro.store.read_current().voters == ("a", "b")


class Broken(Witness):
    """What is beside a member, with a defect in every part of it."""

    def learned(self, fence: Fence, outcome: Outcome) -> None:
        super().learned(fence, outcome)
        raise RuntimeError("a defect of the effects")

    def observe(self, event: Event, effects: Sequence[Effect], now_ms: float) -> None:
        raise RuntimeError("a defect of the observer")


@pytest.mark.parametrize("where", ["a", "b", "c"])
def test_a_defect_beside_the_member_costs_no_round_and_no_effect(where: str, caplog: pytest.LogCaptureFixture) -> None:
    async def play(metro: SwarmMetro) -> None:
        broken = metro.witnesses[where] = Broken()
        links = metro.drivers[where].links
        metro.drivers[where].links = MemberLinks(links.tell, links.voter, links.view, broken, broken)
        metro.drivers["a"].breached(PAPER)
        await metro.learned()
        await asyncio.sleep(0)

    metro = played(SwarmMetro, play)
    outcomes = [witness.outcomes for witness in metro.witnesses.values()]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    decided = outcomes[0][0][1]
    assert [site for site, witness in metro.witnesses.items() if witness.executed] == [decided.candidate.site]
    assert "a defect of the effects" in caplog.text


def test_what_carries_messages_may_have_a_defect_too(caplog: pytest.LogCaptureFixture) -> None:
    async def tell(to: str, message: object) -> None:
        raise RuntimeError("a defect of the peers")

    async def play(metro: SwarmMetro) -> None:
        links = metro.drivers["c"].links
        metro.drivers["c"].links = MemberLinks(tell, links.voter, links.view, links.effects, links.observer)
        metro.drivers["a"].breached(PAPER)
        await metro.learned()
        while not metro.drivers["c"].unheard:  # noqa: ASYNC110 - it acknowledges in the background
            await asyncio.sleep(0.002)

    metro = played(SwarmMetro, play)
    assert metro.store.read_current().voters[:2] == ("a", "b")
    told = [record for record in caplog.records if "does not hear of rounds" in record.getMessage()]
    assert 1 <= len(told) <= 2, "once for each site it tells"


def test_a_breach_is_passed_over_while_a_round_is_under_way_and_by_who_is_no_member() -> None:
    async def play(metro: SwarmMetro) -> None:
        assert metro.drivers["a"].breached(PAPER)
        assert not metro.drivers["a"].breached(PAPER)
        await metro.learned()
        metro.drivers["a"].membership(("b", "c"), frozenset())
        assert not metro.drivers["a"].breached(PAPER)
        assert metro.drivers["b"].breached(PAPER)
        await metro.learned("b", "c", rounds=2)

    metro = played(SwarmMetro, play)
    assert metro.store.read_current().fence == Fence(1, 2)
