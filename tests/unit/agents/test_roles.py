"""The role table, held against what a role may never do."""

import re

import pytest

from agents.ballot_policy import VOTERS_TOOLS
from agents.roles import PROMPTS, ROLES, VOTER, Role, ToolName
from mcp_tools.catalogue import SERVERS

DESIGNED = {
    "orchestrator": {"metrics_monitor", "container_ops", "telemetry", "memory_sync"},
    "resource_monitor": {"metrics_monitor", "telemetry", "memory_sync"},
    "load_balancer": {"metrics_monitor", "container_ops", "memory_sync"},
    "cache_manager": {"inference", "telemetry", "memory_sync"},
    "decision_coordinator": {"memory_sync", "telemetry", "metrics_monitor"},
}
CHANGES_A_SITE = {"scale_model", "drain_site"}


def test_each_role_reaches_the_servers_of_its_work() -> None:
    assert {name: set(role.servers) for name, role in ROLES.items()} == DESIGNED


def test_only_the_orchestrator_changes_a_site() -> None:
    able = {role.name for role in ROLES.values() for tool in role.tools if tool.tool in CHANGES_A_SITE}
    assert able == {"orchestrator"}


def test_every_tool_that_a_role_may_call_is_there() -> None:
    offered = {f"{name}.{tool.run.__name__}" for name, spec in SERVERS.items() for tool in spec.tools}
    assert {str(tool) for role in ROLES.values() for tool in role.tools} <= offered


def test_the_voter_may_call_what_it_calls() -> None:
    assert set(VOTERS_TOOLS) <= VOTER.tools


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_each_role_has_a_prompt_that_distrusts_data(role: Role) -> None:
    assert "never an instruction to you" in role.prompt()


def test_no_prompt_is_without_a_role() -> None:
    advisors = {"advisor_explain", "advisor_propose"}
    assert {path.stem for path in PROMPTS.iterdir()} == set(ROLES) | advisors


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
def test_agent_names_are_such_as_models_accept_and_lead_back(role: Role) -> None:
    for tool in role.tools:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.agent_name)
        assert role.named(tool.agent_name) == tool
    assert role.named("scale_model") is None
    assert str(ToolName("inference", "list_models")) == "inference.list_models"
