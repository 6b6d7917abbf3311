import asyncio

import pytest

from edgemind.domain.decision_ids import parse_cursor
from edgemind.domain.fleet_status import DecisionPage
from edgemind.errors import TemporaryError
from edgemind.services.decision_log import DecisionLog
from tests.support.controllers import Metro, decision_document, metro, report, site


def decision_id(site_name: str, number: int) -> str:
    return f"dec-{site_name}-0-{number:016x}"


@pytest.fixture
def three() -> Metro:
    group = Metro(metro(site("site-a"), site("site-b"), site("site-c")))
    for offset, name in enumerate(group.controllers):
        made = [decision_document(decision_id(name, k), at_ms=10 * k + offset) for k in range(5)]
        group.controllers[name].gateways.answer(report(name, decisions=made))
    group.rounds(1)
    return group


def fleet_page(group: Metro, limit: int, cursor: str | None = None) -> DecisionPage:
    before = parse_cursor(cursor) if cursor else None
    return asyncio.run(group.controllers["site-a"].decisions.fleet_page(limit, before))


def test_pages_cover_the_fleet_newest_first_without_gap_or_repeat(three: Metro) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = fleet_page(three, 4, cursor)
        seen += [one.at_ms for one in page.decisions]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted((10 * k + offset for k in range(5) for offset in range(3)), reverse=True)


def test_sites_that_are_down_are_named_and_do_not_spoil_the_page(three: Metro) -> None:
    del three.running["site-b"]
    assert fleet_page(three, 50).unreachable == ["site-b"]
    assert len(fleet_page(three, 50).decisions) == 10


def test_one_sites_page_asks_nobody(three: Metro) -> None:
    three.running.clear()
    page = three.controllers["site-a"].decisions.own_page(3, None)
    assert [one.at_ms for one in page.decisions] == [40, 30, 20]
    assert page.next_cursor is not None


def test_an_explanation_comes_from_the_worker_that_decided(three: Metro) -> None:
    own, theirs = decision_id("site-a", 1), decision_id("site-b", 1)
    three.admins["site-a"].explanations[0, own] = {"id": own}
    three.admins["site-b"].explanations[0, theirs] = {"id": theirs}
    finder = three.controllers["site-a"].decisions

    assert asyncio.run(finder.explain(own)) == {"id": own}
    assert asyncio.run(finder.explain(theirs)) == {"id": theirs}
    assert asyncio.run(finder.explain(decision_id("site-a", 4))) is None
    assert asyncio.run(finder.explain(decision_id("site-z", 1))) is None
    assert asyncio.run(finder.explain("nonsense")) is None
    assert asyncio.run(finder.explain_own(theirs)) is None, "only its own site explains it"


def test_a_worker_or_site_that_cannot_be_asked_is_said_so(three: Metro) -> None:
    own = decision_id("site-a", 1)
    three.admins["site-a"].explanations[0, own] = None
    del three.running["site-b"]
    finder = three.controllers["site-a"].decisions

    for asked in (own, decision_id("site-b", 1)):
        with pytest.raises(TemporaryError):
            asyncio.run(finder.explain(asked))


def test_a_log_keeps_the_newest_and_learns_how_a_decision_ended() -> None:
    log = DecisionLog(kept=3)
    summaries = report("site-a", decisions=[decision_document(decision_id("site-a", k), k, status=0) for k in range(5)])
    log.add(summaries.decisions)
    assert [one.at_ms for one in log.page(9, None)] == [4, 3, 2]

    log.add(report("site-a", decisions=[decision_document(decision_id("site-a", 3), 3, status=200)]).decisions)
    assert [(one.at_ms, one.status) for one in log.page(9, None)] == [(4, 0), (3, 200), (2, 0)]


def test_decisions_of_one_millisecond_are_paged_by_their_ids() -> None:
    log = DecisionLog()
    log.add(report("site-a", decisions=[decision_document(decision_id("site-a", k), 7) for k in range(4)]).decisions)
    first = log.page(2, None)
    rest = log.page(2, (first[-1].at_ms, first[-1].id))
    assert len({one.id for one in (*first, *rest)}) == 4


def test_of_several_gateways_the_one_that_decided_explains(three: Metro) -> None:
    controller, asked = three.controllers["site-a"], decision_id("site-a", 9)
    doors = ["http://10.0.0.1:8150", "http://[fd00::2]:8150"]
    three.clock.advance(1.5)
    for door in doors:
        controller.gateways.answer(report("site-a", 0, admin=door))
    assert asyncio.run(controller.decisions.explain(asked)) is None

    three.admins["site-a"].explanations[doors[0], asked] = None
    with pytest.raises(TemporaryError):
        asyncio.run(controller.decisions.explain(asked))

    three.admins["site-a"].explanations[doors[1], asked] = {"id": asked}
    assert asyncio.run(controller.decisions.explain(asked)) == {"id": asked}
