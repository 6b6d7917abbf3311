"""`rounds explain` shows every tool call behind a round: those of its votes, and those that led to none."""

from dataclasses import replace
from typing import Any

from edgemind.domain.agent_calls import AgentCall
from edgemind.domain.swarm.votes import ToolCall
from edgemind.entrypoints.rounds.explanation import explanation_document, explanation_text
from tests.support.round_records import round_record, strands_vote

RECORD = round_record(3, votes={"site-a": strands_vote(round_record(3), "site-a")})


def call(site: str, tool: str, **more: Any) -> AgentCall:
    return AgentCall(f"{site}-1", 5, site, "capacity", tool, '{"model": "llm"}', 1.25, fence="1.3", **more)


def test_calls_of_votes_are_told_with_their_votes_and_not_twice() -> None:
    text = explanation_text(RECORD, (), [call("site-a", "site_loads", result='{"site-c": 0.5}')])
    assert text.count('capacity asked site_loads(model="llm") in 1.2 ms: {"site-c": 0.5}') == 1
    assert "Other tool calls" not in text


def test_calls_of_a_site_that_gave_no_ballot_are_told_too() -> None:
    abstained = [
        call("site-b", "site_loads", failed="no answer within 20 ms"),
        call("site-c", "site_loads", result="1"),
    ]
    text = explanation_text(RECORD, (), abstained)
    assert "Other tool calls for this round, by sites that gave no ballot or after it was over:" in text
    assert '  site-b: capacity asked site_loads("model": "llm") in 1.2 ms: failed: no answer within 20 ms' in text
    told = explanation_document(RECORD, abstained)["other_calls"]
    assert [one["site"] for one in told] == ["site-b", "site-c"]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    red = "\x1b[31m"
    vote = strands_vote(RECORD, "site-a")
    hostile = replace(vote, tool_calls=(ToolCall("r\x07", f"{red}t", {f"{red}a": red}, None, 1.0, f"no\n{red}"),))
    text = explanation_text(replace(RECORD, votes={"site-a": hostile}), (), [call("site-b", f"{red}t", failed=red)])
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "failed: no\\n\\x1b[31m" in text
