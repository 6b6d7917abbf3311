"""What the resource monitor and the cache manager see between rounds, and what becomes of it."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from agents.lookout import CACHE_LOOK_S, FRESH_MS, Lookout
from agents.round_brief import brief_text, read_brief
from agents.site_voter import StrandsVoter
from edgemind.adapters.clock import SystemClock
from edgemind.domain.swarm.records import KEEP, Action, Candidate, Fence
from edgemind.domain.swarm.voter import SiteLoad, rank
from edgemind.domain.swarm.votes import View
from tests.support.clocks import ManualClock
from tests.support.controllers import report
from tests.support.site_tools import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_what_is_seen_between_rounds_is_in_the_brief_while_it_is_fresh(site: Site) -> None:
    clock = ManualClock()
    lookout = Lookout("site-a", site.connections, clock)
    assert lookout.sight() is None
    crowd = {"in_flight": 40, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 20.0, "ready": False}
    site.group.controllers["site-a"].gateways.answer(report("site-a", models={"detector": crowd}))
    site.run(lookout.look())
    clock.advance(1.0)
    sight = lookout.sight()
    assert sight is not None
    assert sight.age_ms == 1000.0
    assert sight.unready is not None
    assert "detector: occupancy_ratio 10 above 1.2" in sight.anomalies
    assert "detector at site-a" in sight.unready
    brief = brief_text(Fence(1, 4), (KEEP,), View({"site-a": SiteLoad(4, 1.0)}), sight)
    assert json.loads(brief)["lookout"]["unready"] == list(sight.unready)
    assert read_brief(brief) == read_brief(brief_text(Fence(1, 4), (KEEP,), View({"site-a": SiteLoad(4, 1.0)})))
    clock.advance(FRESH_MS / 1000)
    assert lookout.sight() is None


def test_the_cache_is_looked_at_less_often(site: Site) -> None:
    clock = ManualClock()
    lookout, tools = Lookout("site-a", site.connections, clock), list[str]()
    for agent in (lookout.monitor, lookout.cache_manager):
        agent.told = lambda call, fence: tools.append(call.tool)
    for _ in range(3):
        site.run(lookout.look())
        clock.advance(CACHE_LOOK_S * 0.6)
    assert tools.count("metrics_monitor.check_thresholds") == 3
    assert tools.count("inference.list_models") == 2


def test_a_look_that_fails_leaves_the_one_before_until_it_is_too_old(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    lookout = Lookout("site-a", dict(site.connections), clock)
    site.run(lookout.look())
    seen = lookout.sight()
    lookout.monitor._tools._connections = {}
    clock.advance(1.0)
    site.run(lookout.look())
    assert seen is not None
    assert (lookout.sight(), seen.age_ms) != (None, 1000.0)
    clock.advance(FRESH_MS / 1000)
    site.run(lookout.look())
    assert lookout.sight() is None


def test_readiness_is_known_as_long_as_it_was_seen_not_long_ago(site: Site) -> None:
    """A cache manager that cannot look has not seen that all are ready."""
    clock = ManualClock()
    lookout = Lookout("site-a", dict(site.connections), clock)
    crowd = {"in_flight": 40, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 20.0, "ready": False}
    site.group.controllers["site-a"].gateways.answer(report("site-a", models={"detector": crowd}))

    def unready() -> tuple[str, ...] | None:
        site.run(lookout.look())
        sight = lookout.sight()
        assert sight is not None
        return sight.unready

    seen = unready()
    assert seen is not None
    assert "detector at site-a" in seen
    lookout.cache_manager._tools._connections = {}
    clock.advance(CACHE_LOOK_S)
    assert unready() == seen
    clock.advance(CACHE_LOOK_S + 0.1)
    assert unready() is None


CANDIDATES = (Candidate(Action.SHIFT, "site-b", 100, "site-a", "detector"), KEEP)
OLD = View({name: SiteLoad(4, 0.0) for name in ("site-a", "site-b", "site-c")})


@pytest.mark.parametrize("looked", [False, True])
def test_a_server_lost_between_rounds_is_there_again_for_the_next_ballot_if_somebody_looked(
    site: Site, looked: bool
) -> None:
    connection = site.connections["metrics_monitor"]
    lookout = Lookout("site-a", site.connections, SystemClock())
    voter = StrandsVoter("site-a", site.connections, SystemClock(), None)

    async def scene() -> Any:
        await connection.connected()
        assert connection._client is not None

        async def gone(*_: object) -> None:
            raise anyio.ClosedResourceError

        connection._client.call_tool = gone  # type: ignore[method-assign,assignment]
        if looked:
            await lookout.look()
            async with asyncio.timeout(30):
                await connection.connected()
        return await voter.vote(Fence(1, 4), CANDIDATES, OLD)

    voter._limits = voter._limits.__class__(vote_ms=10_000)
    vote = site.run(scene())
    failed = [call.tool for call in vote.tool_calls if call.failed]
    assert failed == ([] if looked else ["metrics_monitor.get_fleet_metrics"])


def test_ballots_are_the_librarys_whatever_was_seen(site: Site) -> None:
    lookout = Lookout("site-a", site.connections, SystemClock())
    site.run(lookout.look())
    voter = StrandsVoter("site-a", site.connections, SystemClock())
    voter._limits = voter._limits.__class__(vote_ms=10_000)
    votes = []
    for sight in (lambda: None, lookout.sight):
        voter.sight = sight
        votes.append(site.run(voter.vote(Fence(1, 4), CANDIDATES, OLD)))
    without, with_sight = votes
    assert without.ranking == with_sight.ranking == rank(CANDIDATES, without.view.loads, OLD.policy, 1234.5)


def test_nobody_looks_while_a_round_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    lookout, looks = Lookout("site-a", {}, ManualClock()), list[int]()
    turns = iter([True, True, False])

    async def look() -> None:
        looks.append(1)
        raise asyncio.CancelledError

    async def at_once(_: float) -> None:
        return None

    lookout.busy = lambda: next(turns)
    monkeypatch.setattr(lookout, "look", look)
    monkeypatch.setattr("agents.lookout.asyncio.sleep", at_once)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(lookout.run())
    assert looks == [1]
