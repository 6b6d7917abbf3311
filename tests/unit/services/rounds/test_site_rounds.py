"""Sites that decide rounds, from what their gateways report to the table: on good days, over reloads, on bad days."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from edgemind.domain.membership import SiteState
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.swarm_policy import SwarmPolicy
from edgemind.domain.thresholds import Thresholds
from edgemind.ports.swarm_store import NotProvisioned, OutcomeUnknown, StoreUnavailable, Throttled
from edgemind.services.rounds.site_rounds import RoundRules
from tests.support.swarm_sites import CROWD, NAMES, SwarmSites

TROUBLES = [
    StoreUnavailable("nobody listens"),
    Throttled("too many calls"),
    OutcomeUnknown("no answer"),
    NotProvisioned("run `edgemind swarm provision`"),
]


def played(play: Callable[[SwarmSites], Awaitable[None]]) -> SwarmSites:
    async def main() -> SwarmSites:
        sites = SwarmSites()
        try:
            async with asyncio.timeout(20):
                await play(sites)
        finally:
            await sites.close()
        return sites

    return asyncio.run(main())


def record(sites: SwarmSites, name: str, fence: Fence) -> RoundRecord:
    found = sites.controller(name).own_round(fence)
    assert found is not None
    return found


def test_a_crowd_at_one_site_ends_in_a_decision_that_all_know_and_its_table_shows() -> None:
    async def play(sites: SwarmSites) -> None:
        await sites.turn(2)
        sites.in_flight["site-a"] = CROWD
        await sites.decided("1.1")

    sites = played(play)
    [shift] = sites.controller("site-a").own.shifts
    assert shift.fence == Fence(1, 1)
    told = [record(sites, name, shift.fence) for name in NAMES]
    assert len({one.outcome for one in told}) == 1
    assert told[0].breached == "site-a"
    assert told[0].measured["occupancy_ratio"] == 3.0


def test_a_reload_amid_a_round_and_one_after_it_change_nothing() -> None:
    async def play(sites: SwarmSites) -> None:
        await sites.turn(2)
        sites.store.call_s = 0.02
        sites.in_flight["site-a"] = CROWD
        await sites.turn(3)
        for name in NAMES:
            sites.reload(name)
        await sites.decided("1.1")
        sites.reload("site-a")
        await sites.turn(20)

    sites = played(play)
    assert sites.known() == {"1.1"}, "the breach lasts, and so does the cooldown"
    site_a = sites.controller("site-a")
    assert [shift.fence for shift in site_a.own.shifts] == [Fence(1, 1)]
    assert site_a.exchange.my_beacon("site-b").newest is not None
    assert site_a.own_status().swarm is not None


def test_a_site_that_the_announcement_did_not_reach_hears_of_it_from_a_beacon() -> None:
    async def play(sites: SwarmSites) -> None:
        await sites.turn(2)
        sites.controller("site-c").on_message = lambda message: None
        sites.in_flight["site-a"] = CROWD
        await sites.decided("1.1")

    sites = played(play)
    assert record(sites, "site-a", Fence(1, 1)).outcome == sites.rounds["site-c"].driver.newest.outcome  # type: ignore[union-attr]


@pytest.mark.parametrize("error", TROUBLES, ids=lambda error: type(error).__name__)
def test_in_trouble_with_the_store_nothing_is_decided_and_beacons_and_tables_go_on(error: Exception) -> None:
    async def play(sites: SwarmSites) -> None:
        await sites.turn(2)
        sites.store.error = error
        sites.in_flight["site-a"] = CROWD
        site_a = sites.rounds["site-a"]
        await sites.until(lambda: not site_a.status.store_ok)
        before = sites.table_versions()
        await sites.turn(10)
        assert all(after >= then + 10 for then, after in zip(before, sites.table_versions(), strict=True))
        assert sites.known() == {"1.0"}
        assert site_a.status.last_error == str(error)
        for one in sites.controller("site-a").neighbourhood.neighbours.values():
            assert one.membership.state(sites.metro.clock.monotonic_s()) is SiteState.ALIVE
        sites.store.error = None
        await sites.decided("1.1")

    sites = played(play)
    assert all(one.status.store_ok for one in sites.rounds.values())


def test_at_200_ms_a_call_a_round_ends_late_and_nobody_waits_for_it() -> None:
    async def play(sites: SwarmSites) -> None:
        await sites.turn(2)
        sites.store.call_s = 0.2
        before = sites.table_versions()
        sites.in_flight["site-a"] = CROWD
        await sites.decided("1.1")
        assert min(sites.table_versions()) > max(before) + 20, "turns were taken all the while"

    played(play)


@pytest.mark.slow
def test_a_store_that_is_suddenly_slow_is_followed_until_ballots_decide_again() -> None:
    """Who is used to a few ms a call gives the first rounds up too early: they end with KEEP."""

    async def play(sites: SwarmSites) -> None:
        sites.rules = RoundRules(SwarmPolicy(cooldown_ms=0.0), Thresholds())
        for name in NAMES:
            sites.reload(name)
        await sites.turn(2)
        sites.store.call_s = 0.2
        sites.in_flight["site-a"] = CROWD
        await sites.until(lambda: bool(sites.controller("site-a").own.shifts))

    sites = played(play)
    [shift] = sites.controller("site-a").own.shifts
    assert shift.fence > Fence(1, 1)
    assert sites.rounds["site-a"].status.store_ms > 20
