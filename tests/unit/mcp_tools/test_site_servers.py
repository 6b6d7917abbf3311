"""The servers that a site's own agents call, over their controller's process."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.client import Client

from edgemind.domain.thresholds import Thresholds
from mcp_tools.catalogue import SERVERS
from mcp_tools.in_process import site_servers
from tests.support.controllers import Metro
from tests.support.mcp_sessions import telling_metro, text_of

AGENTS = SimpleNamespace(memories=None, notes=None)


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


def asked(process: Any, server: str, tool: str, **arguments: object) -> dict[str, Any]:
    async def main() -> dict[str, Any]:
        async with Client(site_servers(process)[server]()) as client:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, text_of(result)
            return result.structured_content or {}

    return asyncio.run(main())


def test_they_are_all_there_and_tell_of_the_site_as_it_is_now(group: Metro) -> None:
    controller = group.controllers["site-a"]
    rounds = SimpleNamespace(
        rules=SimpleNamespace(thresholds=Thresholds(queue_depth=7)),
        driver=SimpleNamespace(since_change_ms=lambda: 88.0),
    )
    process = SimpleNamespace(controller=controller, rounds=rounds, agents=AGENTS)
    assert site_servers(process).keys() == SERVERS.keys()  # type: ignore[arg-type]
    assert asked(process, "memory_sync", "get_swarm_state", local=True)["since_change_ms"] == 88.0
    report = asked(process, "metrics_monitor", "check_thresholds", site="site-a")
    limits = {check["name"]: check["threshold"] for check in report["models"][0]["checks"]}
    assert limits["queue_depth"] == 7
    # A reload replaces what the process holds; a server that was made before follows.
    rounds.driver.since_change_ms = lambda: None
    assert asked(process, "memory_sync", "get_swarm_state", local=True)["since_change_ms"] is None


def test_a_site_without_rounds_knows_of_no_change(group: Metro) -> None:
    process = SimpleNamespace(controller=group.controllers["site-a"], rounds=None, agents=AGENTS)
    assert asked(process, "memory_sync", "get_swarm_state", local=True)["since_change_ms"] is None


def test_an_agent_of_the_site_may_do_what_an_operator_may(group: Metro) -> None:
    process = SimpleNamespace(controller=group.controllers["site-a"], rounds=None, agents=AGENTS)
    assert asked(process, "container_ops", "drain_site", site="site-b", dry_run=True)["was"] == "alive"
