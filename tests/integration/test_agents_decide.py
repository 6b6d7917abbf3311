"""Controllers as processes whose ballots are agents': a site is overloaded, and the metro decides."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgemind import bootstrap
from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.services.rounds.provision import provision
from edgemind.settings import load_settings
from tests.support.controller_processes import ControllerFleet, model_server, until
from tests.support.serving import served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TOOLS = {"metrics_monitor.get_fleet_metrics", "memory_sync.get_swarm_state"}


def test_the_ballots_of_a_decided_round_are_agents_and_show_their_tool_calls(tmp_path: Path) -> None:
    with served(model_server) as url:
        fleet = ControllerFleet(tmp_path, url)
        fleet.flags = ("--voter", "strands")
        provision(bootstrap.open_swarm_store(load_settings(tmp_path / "edgemind.yaml")), 1)
        with fleet.running():
            for name in fleet.names:
                until(partial(fleet.sees_all, name), f"{name} sees everybody")
            fleet.in_flight["site-a"] = 20
            until(lambda: decided(fleet), "a round that every site's agent voted in")
            votes = decided(fleet)
            fence, kinds = until_remembered(fleet)
            _, stream = fleet.get("site-a", f"/agent-calls?fence={fence}&limit=100")
        logs = {name: fleet.log(name) for name in fleet.names}
    assert {vote["voter"] for vote in votes.values()} == {"strands"}
    for vote in votes.values():
        calls = {call["tool"]: call for call in vote["tool_calls"]}
        assert set(calls) == TOOLS
        assert {call["role"] for call in calls.values()} == {"load_balancer"}
    assert kinds == {"activation", "outcome"}
    by_role: dict[str, set[str]] = {}
    for call in stream["calls"]:
        assert (call["fence"], call["site"] in fleet.names) == (fence, True)
        by_role.setdefault(call["role"], set()).add(call["tool"])
    assert by_role["load_balancer"] == TOOLS
    assert "memory_sync.remember" in by_role["decision_coordinator"]
    assert all("a Strands agent votes for this site" in log for log in logs.values())
    assert not any("Traceback" in log for log in logs.values()), logs


def until_remembered(fleet: ControllerFleet) -> tuple[str, set[str]]:
    """The fence of the newest round that is remembered whole, and as what; over MCP, for the coordinator told it."""
    found: dict[str, set[str]] = {}

    def look() -> bool:
        status, page = fleet.get("site-a", "/memories?limit=100")
        for one in page["memories"] if status == 200 else ():
            if one["by"].startswith("an agent of site-"):
                found.setdefault(one["fence"], set()).add(one["kind"])
        return any({"activation", "outcome"} <= kinds for kinds in found.values())

    until(look, "the decision coordinator had a round remembered")
    fence = max((fence for fence, kinds in found.items() if {"activation", "outcome"} <= kinds), key=fence_from_text)
    return fence, found[fence] & {"activation", "outcome"}


def decided(fleet: ControllerFleet) -> dict[str, Any]:
    """The votes of the newest round, by site, once all three are known."""
    status, page = fleet.get("site-a", "/rounds")
    if status != 200 or not page["rounds"]:
        return {}
    status, record = fleet.get("site-a", f"/rounds/{page['rounds'][0]['fence']}")
    votes: dict[str, Any] = record["votes"] if status == 200 and record["outcome"] else {}
    return votes if len(votes) == len(fleet.names) else {}
