import asyncio
from dataclasses import replace

import pytest

from edgemind.adapters.peers.in_process import InProcessPeers
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.services.rounds.find_rounds import RoundFinder
from tests.support.controllers import Metro, metro, site
from tests.support.round_records import SITES, effect, round_record


@pytest.fixture
def three() -> Metro:
    """Five rounds that site-b coordinated, and a sixth that only site-c heard of."""
    group = Metro(metro(*(site(name) for name in SITES), site("theirs", controller=False)))
    for number in range(1, 6):
        for name in SITES:
            group.journals[name].keep(round_record(number, name, coordinator="site-b"))
    group.journals["site-c"].keep(round_record(6, "site-c", coordinator="site-b"))
    group.rounds(1)
    return group


def finder(group: Metro) -> RoundFinder:
    return group.controllers["site-a"].rounds


def page(group: Metro, limit: int = 9, before: Fence | None = None) -> RoundPage:
    return asyncio.run(finder(group).fleet_page(limit, before))


def test_each_round_comes_once_and_from_its_coordinator(three: Metro) -> None:
    found = page(three)
    assert [(one.fence, one.site) for one in found.rounds] == [
        ("1.6", "site-c"), *((f"1.{number}", "site-b") for number in (5, 4, 3, 2, 1)),
    ]  # fmt: skip
    assert (found.next_cursor, found.unreachable) == (None, [])
    assert {one.decided_ms for one in found.rounds[1:]} == {31.2}


def test_pages_cover_everything_without_gap_or_repeat(three: Metro) -> None:
    seen: list[str] = []
    before: Fence | None = None
    while True:
        found = page(three, 2, before)
        seen += [one.fence for one in found.rounds]
        if found.next_cursor is None:
            break
        before = Fence(1, int(found.next_cursor.split(".")[1]))
    assert seen == ["1.6", "1.5", "1.4", "1.3", "1.2", "1.1"]


def test_sites_that_do_not_answer_are_named_and_the_rest_is_told(three: Metro) -> None:
    del three.running["site-b"]
    found = page(three)
    assert found.unreachable == ["site-b"]
    assert [one.decided_ms for one in found.rounds] == [None] * 6
    record, unreachable = asyncio.run(finder(three).round(Fence(1, 2)))
    assert unreachable == ["site-b"]
    assert record is not None
    assert sorted(record.votes) == ["site-a", "site-c"]


def test_one_sites_page_asks_nobody(three: Metro) -> None:
    three.running.clear()
    own = finder(three).own_page(2, None)
    assert [(one.fence, one.site) for one in own.rounds] == [("1.5", "site-a"), ("1.4", "site-a")]
    assert own.next_cursor == "1.4"


def test_a_round_is_put_together_from_every_site(three: Metro) -> None:
    acting = round_record(3, "site-c", coordinator="site-b")
    three.journals["site-c"].keep(replace(acting, effects=(effect(acting),)))
    record, unreachable = asyncio.run(finder(three).round(Fence(1, 3)))
    assert record is not None
    assert (record.site, sorted(record.votes), unreachable) == ("site-b", list(SITES), [])
    assert [one.site for one in record.effects] == ["site-c"]
    only_there, _ = asyncio.run(finder(three).round(Fence(1, 6)))
    assert only_there is not None
    assert only_there.site == "site-c"
    assert asyncio.run(finder(three).round(Fence(7, 7))) == (None, [])


def test_a_reload_of_the_configuration_keeps_the_history(three: Metro) -> None:
    before = three.controllers["site-a"]
    successor = three.start("site-a")
    successor.succeed(before)
    assert successor.own_round(Fence(1, 3)) == before.own_round(Fence(1, 3))


def test_a_site_that_is_down_is_not_asked_however_far_away_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Site-a exchanges beacons with ten of twelve: the others' rumours tell it of the rest."""
    names = [f"site-{letter}" for letter in "abcdefghijkl"]
    group = Metro(metro(*(site(name) for name in names)))
    group.rounds(1)
    around = group.controllers["site-a"].neighbourhood
    (far,) = set(names) - {"site-a", *around.neighbours}
    del group.running[far]
    group.rounds(60)
    asked: list[str] = []

    async def note(_: object, name: str, *__: object) -> None:
        asked.append(name)

    for question in ("recent_rounds", "round", "recent_decisions", "agent_calls"):
        monkeypatch.setattr(InProcessPeers, question, note)
    controller = group.controllers["site-a"]
    assert far in asyncio.run(controller.rounds.fleet_page(5, None)).unreachable
    assert far in asyncio.run(controller.rounds.round(Fence(1, 1)))[1]
    assert far in asyncio.run(controller.calls.fleet_page(5, None, None)).unreachable
    assert far in asyncio.run(controller.decisions.fleet_page(5, None)).unreachable
    assert far not in asked
    assert len(asked) == 4 * len(around.neighbours)
