"""What roles other than the voter do: once a round is over; and what none of them may do."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from agents.coordinator import WAITING_LIMIT, DecisionCoordinator
from agents.mcp_connection import McpConnection
from agents.policy_model import Conversation, ToolRequest
from agents.role_agent import RoleAgent, TaskFailed
from agents.roles import ROLES, Role
from edgemind.domain.agent_memory import Memory
from edgemind.domain.audit.entries import AuditEntry
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.votes import ToolCall
from tests.support.round_records import effect, round_record
from tests.support.site_tools import Site

FORBIDDEN = {
    "orchestrator": "memory_sync_remember",
    "resource_monitor": "container_ops_scale_model",
    "load_balancer": "memory_sync_remember",
    "cache_manager": "container_ops_drain_site",
    "decision_coordinator": "container_ops_scale_model",
}
"""For each role something that is there, and that it may not call."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


# The gate


class Answer(BaseModel):
    text: str


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_a_role_is_refused_what_is_not_its_own(site: Site, role: Role) -> None:
    """The policy is one that obeys what it read somewhere."""
    forbidden = FORBIDDEN[role.name]

    def obedient(conversation: Conversation) -> Sequence[ToolRequest]:
        if not conversation.answers:
            return [ToolRequest(forbidden, {"text": "x", "model": "detector", "replicas": 2, "site": "site-b"})]
        return [ToolRequest("Answer", {"text": conversation.answers[0].failed or "it worked"})]

    told: list[ToolCall] = []
    agent = RoleAgent(role, role.tools, site.connections, obedient, Answer)
    agent.told = lambda call, fence: told.append(call)
    done = site.run(agent.do("Do as you are told."))
    assert done.answer.text.startswith(f"{forbidden}: the role {role.name} may not call it; it may call ")
    assert [(call.role, call.tool, call.failed is not None) for call in told] == [(role.name, forbidden, True)]
    assert not site.group.controllers["site-b"].own.drain_requested
    assert site.notes.keeper.status.waiting + site.notes.keeper.status.kept == 0


@pytest.mark.parametrize(
    ("policy", "why"),
    [(lambda _: [], "neither called a tool nor answered"), (lambda _: [ToolRequest("nothing")], "ran out of turns")],
)
def test_a_task_that_comes_to_nothing_says_why(site: Site, policy: Any, why: str) -> None:
    agent = RoleAgent(ROLES["orchestrator"], (), site.connections, policy, Answer)
    with pytest.raises(TaskFailed, match=f"the orchestrator.*{why}"):
        site.run(agent.do("x"))


# The decision coordinator


class Told:
    """What the tools were told, and what was remembered without them."""

    def __init__(self, connections: dict[str, McpConnection]) -> None:
        self.coordinator = DecisionCoordinator(connections)
        self.otherwise: list[Memory] = []
        self.calls: list[tuple[str, str | None, bool]] = []
        self.coordinator.otherwise = self.otherwise.append
        self.coordinator.agent.told = lambda call, fence: self.calls.append((call.tool, fence, call.failed is None))

    def waiting(self) -> list[list[Memory]]:
        queue = self.coordinator._waiting
        return [queue.get_nowait() for _ in range(queue.qsize())]


def test_a_decided_round_is_remembered_and_logged_over_mcp() -> None:
    own = Site()
    try:
        told = Told(own.connections)
        told.coordinator.round_over(round_record(3))
        (memories,) = told.waiting()
        own.run(told.coordinator.tell(memories))
        remembered, logged = ("memory_sync.remember", "1.3", True), ("telemetry.log_event", "1.3", True)
        assert told.calls == [remembered, remembered, logged]
        assert told.otherwise == []
        (entry,) = own.notes.entries
        assert isinstance(entry, AuditEntry)
        assert entry.body["by"] == "an agent of site-a"
        assert {one.text for one in own.notes.kept()} == {one.text for one in memories}
    finally:
        own.close()


def test_without_its_tools_the_site_remembers_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    told = Told({})
    for number in (3, 4):
        told.coordinator.round_over(round_record(number))
    for memories in told.waiting():
        asyncio.run(told.coordinator.tell(memories))
    assert [one.fence for one in told.otherwise] == ["1.3", "1.3", "1.4", "1.4"]
    assert caplog.text.count("there is no server memory_sync here") == 2, "of two calls, and once for both rounds"


def test_a_coordinator_that_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told = Told({})

    def fail(_: Conversation) -> Sequence[ToolRequest]:
        raise ValueError("no idea")

    told.coordinator.agent._model._policy = fail
    told.coordinator.round_over(round_record(3))
    asyncio.run(told.coordinator.tell(told.waiting()[0]))
    assert len(told.otherwise) == 2
    assert "the decision_coordinator failed: no idea" in caplog.text


def test_what_is_added_to_a_round_is_told_and_the_rest_not_again() -> None:
    told = Told({})
    record = round_record(3, "site-c")
    for one in (round_record(3), round_record(3), record, _with(record, effect(record)), _with(record, effect(record))):
        told.coordinator.round_over(one)
    assert [[one.kind.value for one in memories] for memories in told.waiting()] == [
        ["activation", "outcome"],
        ["effect"],
    ]


def test_rounds_in_a_row_do_not_add_up() -> None:
    told = Told({})
    for number in range(WAITING_LIMIT + 2):
        told.coordinator.round_over(round_record(number + 1))
    assert {one.fence for one in told.otherwise} == {f"1.{WAITING_LIMIT + 1}", f"1.{WAITING_LIMIT + 2}"}


def _with(record: RoundRecord, report: Any) -> RoundRecord:
    from dataclasses import replace

    return replace(record, effects=(report,))
