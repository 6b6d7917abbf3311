"""An agent of a role on BedrockModel, over real HTTP: its tools are called over MCP, and its role's walls hold."""

import asyncio
import json
from typing import Any

import pytest

from agents.role_tools import RoleTools
from agents.roles import ROLES
from edgemind.domain.swarm.voter import SiteLoad
from tests.support.engines.aws import REGION
from tests.support.engines.converse import ConverseServer
from tests.support.engines.converse_script import Says, text, tool_use
from tests.support.mcp_fleet import FleetOfTools, connected

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

ROLE = ROLES["resource_monitor"]


def ask(converse: ConverseServer, model_id: str, fleet: FleetOfTools) -> str:
    from strands import Agent
    from strands.models.bedrock import BedrockModel

    async def main() -> str:
        async with connected(fleet) as connections:
            tools = RoleTools(ROLE, connections)
            model = BedrockModel(model_id=model_id, endpoint_url=converse.url, region_name=REGION)
            agent = Agent(
                model=model,
                tools=list(tools.tools()),
                system_prompt=ROLE.prompt(),
                hooks=[tools],
                callback_handler=None,
            )
            return str(await agent.invoke_async("How busy is the chat model?")).strip()

    return asyncio.run(main())


def results(converse: ConverseServer, model_id: str) -> Any:
    """What the model was told of its calls."""
    last = converse.calls(model_id)[-1].body["messages"][-1]["content"]
    return [block["toolResult"] for block in last]


def test_a_role_on_bedrock_asks_the_fleet_and_answers(converse: ConverseServer) -> None:
    call = tool_use("use-1", "metrics_monitor_get_fleet_metrics", '{"model":', ' "chat"}')
    model_id = converse.script("test.role-v1:0", Says([call], "tool_use"), Says([text("It is", " calm.")]))
    fleet = FleetOfTools({"a": SiteLoad(4, 1.0)})
    assert ask(converse, model_id, fleet) == "It is calm."
    assert [(tool, arguments["model"]) for tool, arguments in fleet.asked] == [("get_fleet_metrics", "chat")]
    first, second = converse.calls(model_id)
    assert first.signed
    assert second.signed
    assert first.body["system"][0]["text"] == ROLE.prompt()
    offered = {tool["toolSpec"]["name"] for tool in first.body["toolConfig"]["tools"]}
    assert offered == {"metrics_monitor_get_fleet_metrics", "memory_sync_get_swarm_state"}
    (result,) = results(converse, model_id)
    assert result["toolUseId"] == "use-1"
    assert json.loads(result["content"][0]["text"])["loads"].keys() == {"a"}


def test_a_model_that_asks_for_more_than_its_role_is_refused_and_told(converse: ConverseServer) -> None:
    call = tool_use("use-1", "metrics_monitor_restart_all", "{}")
    model_id = converse.script("test.greedy-v1:0", Says([call], "tool_use"), Says([text("Then not.")]))
    fleet = FleetOfTools()
    assert ask(converse, model_id, fleet) == "Then not."
    assert fleet.asked == []
    (result,) = results(converse, model_id)
    assert "the role resource_monitor may not call it" in result["content"][0]["text"]
