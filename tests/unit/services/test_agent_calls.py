"""The stream of agents' calls: bounded in number and in size, and of the whole metro."""

import asyncio

from edgemind.domain.agent_calls import CUT, TEXT_LIMIT
from edgemind.domain.decision_ids import parse_cursor
from edgemind.domain.swarm.votes import ToolCall
from edgemind.services.agent_calls import AgentCallLog
from tests.support.clocks import ManualClock
from tests.support.controllers import Metro, metro, site

CALL = ToolCall("load_balancer", "metrics_monitor.get_fleet_metrics", {"model": "llm"}, {"loads": {}}, 1.25)
REFUSED = ToolCall("cache_manager", "scale_model", {}, None, 0.0, "may not call it")


def test_a_call_is_told_with_what_came_of_it() -> None:
    log = AgentCallLog("site-a", ManualClock())
    log.note(CALL, "1.17")
    log.note(REFUSED)
    refused, call = log.page(10, None)
    assert (call.site, call.role, call.tool, call.fence, call.took_ms) == ("site-a", CALL.role, CALL.tool, "1.17", 1.25)
    assert (call.arguments, call.result, call.failed) == ('{"model": "llm"}', '{"loads": {}}', None)
    assert (refused.arguments, refused.result, refused.failed, refused.fence) == ("{}", None, "may not call it", None)
    assert log.page(10, None, "1.17") == [call]


def test_it_is_bounded() -> None:
    log = AgentCallLog("site-a", ManualClock(), kept=3)
    vast = ToolCall("x", "t" * 5000, {"a": "b" * 5000}, ["c" * 5000], 1.0)
    for _ in range(5):
        log.note(vast)
    log.note(ToolCall("x", "y", {}, None, 1.0, "d" * 5000))
    calls = log.page(10, None)
    assert len(calls) == 3
    for text in (calls[0].failed, calls[1].tool, calls[1].arguments, calls[1].result):
        assert text is not None
        assert (len(text), text[-4:]) == (TEXT_LIMIT, CUT)


def test_what_json_cannot_hold_is_told_as_text() -> None:
    log = AgentCallLog("site-a", ManualClock())
    log.note(ToolCall("x", "y", {"at": ManualClock}, "\x1b[31mred", 1.0))
    (call,) = log.page(1, None)
    assert "ManualClock" in call.arguments
    assert call.result == '"\\u001b[31mred"'


def telling() -> Metro:
    group = Metro(metro(site("site-a"), site("site-b"), site("theirs", controller=False)))
    group.rounds(1)
    for number in range(4):
        group.clock.advance(0.05)
        group.controllers["site-a" if number % 2 else "site-b"].agent_calls.note(CALL, f"1.{number}")
    return group


def test_the_whole_metros_come_newest_first_page_by_page() -> None:
    finder = telling().controllers["site-a"].calls
    first = asyncio.run(finder.fleet_page(3, None, None))
    assert ([call.fence for call in first.calls], first.unreachable) == (["1.3", "1.2", "1.1"], [])
    assert first.next_cursor is not None
    rest = asyncio.run(finder.fleet_page(3, parse_cursor(first.next_cursor), None))
    assert ([call.fence for call in rest.calls], rest.next_cursor) == (["1.0"], None)
    assert [call.site for call in asyncio.run(finder.fleet_page(3, None, "1.2")).calls] == ["site-b"]
    assert [call.fence for call in finder.own_page(9, None, None).calls] == ["1.3", "1.1"]


def test_a_site_that_is_away_is_named() -> None:
    group = telling()
    del group.running["site-b"]
    page = asyncio.run(group.controllers["site-a"].calls.fleet_page(9, None, None))
    assert ([call.fence for call in page.calls], page.unreachable) == (["1.3", "1.1"], ["site-b"])


def test_a_reload_keeps_the_stream() -> None:
    group = telling()
    before = group.controllers["site-a"]
    after = group.start("site-a")
    after.succeed(before)
    after.agent_calls.note(CALL, "2.1")
    assert [call.fence for call in after.calls.own_page(9, None, None).calls] == ["2.1", "1.3", "1.1"]
