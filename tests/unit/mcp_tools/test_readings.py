"""What the tools that read tell of a fleet: through the SDK's own client, from real controllers."""

import json
from dataclasses import asdict

import pytest
from mcp.client import Client
from prometheus_client.parser import text_string_to_metric_families

from edgemind.domain.fleet_status import SwarmStatus
from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.records import Fence
from edgemind.services.rounds.watch_thresholds import measures_of
from mcp_tools.calls import Session
from mcp_tools.catalogue import SERVERS
from mcp_tools.command import NAMES
from tests.support.controllers import Metro
from tests.support.mcp_sessions import (
    DECISION,
    EXPLANATION,
    in_process,
    refusal,
    telling_metro,
    told,
    viewer,
    with_client,
)

ALL = ["site-a", "site-b", "site-c", "theirs"]


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


@pytest.fixture
def look(group: Metro) -> Session:
    return viewer(in_process(group))


def test_the_command_offers_the_servers_that_there_are() -> None:
    assert set(NAMES) == set(SERVERS)


@pytest.mark.parametrize("server", SERVERS)
def test_every_tool_has_schemas_and_says_whether_it_changes_something(look: Session, server: str) -> None:
    listed = with_client(server, look, Client.list_tools).tools
    specs = {spec.run.__name__: spec for spec in SERVERS[server].tools}
    assert {tool.name for tool in listed} == specs.keys()
    for tool in listed:
        assert tool.description
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert tool.output_schema["type"] == "object"
        assert "$ref" not in json.dumps(tool.output_schema)
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is not specs[tool.name].changes


def test_metrics_are_those_of_the_fleet_view(group: Metro, look: Session) -> None:
    shown = told("metrics_monitor", look, "get_site_metrics", site="site-a")["site"]
    own = group.controllers["site-a"].own_status()
    assert (shown["name"], shown["state"], shown["rtt_ms"]) == ("site-a", "alive", None)
    assert shown["models"][0]["in_flight"] == own.models[0].in_flight == 3
    assert shown["gateway"]["counters"]["added_ms_p99"] == 190.0


def test_a_fleet_is_shown_page_by_page(look: Session) -> None:
    first = told("metrics_monitor", look, "get_fleet_metrics", limit=3)
    assert ([one["name"] for one in first["sites"]], first["left_off"], first["next_after"]) == (ALL[:3], 1, "site-c")
    rest = told("metrics_monitor", look, "get_fleet_metrics", limit=3, after=first["next_after"])
    assert ([one["name"] for one in rest["sites"]], rest["left_off"], rest["next_after"]) == (ALL[3:], 0, None)
    assert (first["metro"], first["asked"]) == ("test", "site-a")


def test_loads_of_a_model_are_what_a_voter_needs(group: Metro, look: Session) -> None:
    found = told("metrics_monitor", look, "get_fleet_metrics", model="detector")
    assert (found["model"], found["sites"]) == ("detector", [])
    assert found["loads"]["site-a"] == {"slots": 4, "demand": 3.0, "replicas": 1, "up": True, "max_replicas": 1}
    assert list(found["loads"]) == ALL
    assert told("metrics_monitor", look, "get_fleet_metrics", model="none")["loads"] == {}


def test_some_sites_only(look: Session) -> None:
    some = ["site-c", "nowhere", "site-a"]
    shown = told("metrics_monitor", look, "get_fleet_metrics", sites=some)
    assert ([one["name"] for one in shown["sites"]], shown["left_off"]) == (["site-a", "site-c"], 0)
    assert list(told("metrics_monitor", look, "get_fleet_metrics", sites=some, model="detector")["loads"]) == [
        "site-a",
        "site-c",
    ]


def test_what_is_local_is_known_without_asking_anybody() -> None:
    group = telling_metro()
    look = viewer(in_process(group))
    group.running.clear()
    found = told("metrics_monitor", look, "get_fleet_metrics", model="detector", local=True)
    assert found["loads"]["site-b"] == {"slots": 4, "demand": 3.0, "replicas": 1, "up": True, "max_replicas": 1}
    state = told("memory_sync", look, "get_swarm_state", local=True)
    assert [(one["fence"], one["site"]) for one in state["rounds"]] == [
        ("1.3", "site-a"),
        ("1.2", "site-a"),
        ("1.1", "site-a"),
    ]
    assert (state["since_change_ms"], state["unreachable"]) == (1234.5, [])
    assert told("memory_sync", look, "get_swarm_state")["unreachable"] == ["site-b", "site-c"]


def test_thresholds_are_compared_as_the_sites_own_watch_does(group: Metro, look: Session) -> None:
    found = told("metrics_monitor", look, "check_thresholds", site="site-a")
    (detector,) = found["models"]
    measured = {one["name"]: one["measured"] for one in detector["checks"]}
    assert measured == measures_of(group.controllers["site-a"].own)["detector"]
    assert {one["name"] for one in detector["checks"] if one["breached"]} == {"latency_ms"}
    assert (found["breached"], found["thresholds_from"]) == (True, "configuration")
    assert found["unmeasured"] == ["cpu_ratio", "gpu_ratio"]


def test_scaling_is_told_by_site_and_model(look: Session) -> None:
    every = told("container_ops", look, "get_scaling_status", limit=3)
    assert ([one["site"] for one in every["workloads"]], every["left_off"]) == (ALL[:3], 1)
    (one,) = told("container_ops", look, "get_scaling_status", site="site-b", model="detector")["workloads"]
    assert (one["replicas"], one["max_replicas"], one["slots"], one["in_flight"]) == (1, 1, 4, 3)
    assert told("container_ops", look, "get_scaling_status", model="none")["workloads"] == []


def test_health_names_what_is_wrong() -> None:
    group = telling_metro()
    look = viewer(in_process(group))
    assert told("metrics_monitor", look, "get_site_health", site="site-b")["health"] == "ok"
    group.controllers["site-b"].drain_own(True)
    group.rounds(1)
    drained = told("metrics_monitor", look, "get_site_health", site="site-b")
    assert (drained["health"], drained["findings"][0]) == ("degraded", "its state is draining")
    del group.running["site-c"]
    group.rounds(3)
    assert told("metrics_monitor", look, "get_site_health", site="site-c")["health"] == "down"


def test_the_journal_is_paged_and_one_decision_explained(look: Session) -> None:
    page = told("telemetry", look, "query_journal", limit=1)
    assert [one["id"] for one in page["decisions"]] == [DECISION]
    older = told("telemetry", look, "query_journal", limit=1, cursor=page["next_cursor"])
    assert [one["id"] for one in older["decisions"]] == ["dec-site-a-0-1"]
    assert told("telemetry", look, "query_journal", decision_id=DECISION)["explanation"] == EXPLANATION
    assert "no decision 'dec-x' is kept" in refusal("telemetry", look, "query_journal", decision_id="dec-x")


def test_exported_metrics_are_what_prometheus_reads(look: Session) -> None:
    text = told("telemetry", look, "export_metrics")["text"]
    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {
        (sample.labels["site"], sample.labels["model"]): sample.value
        for sample in families["edgemind_site_model_in_flight"].samples
    }
    assert samples["site-a", "detector"] == 3
    states = [sample.labels for sample in families["edgemind_site_state"].samples if sample.value]
    assert {"site": "theirs", "state": "declared"} in states
    assert "theirs" not in {sample.labels["site"] for sample in families["edgemind_site_gateway_ok"].samples}


def test_models_and_where_they_are_resident(look: Session) -> None:
    (model,) = told("inference", look, "list_models")["models"]
    assert [one["site"] for one in model["held_at"]] == ALL
    cache = told("inference", look, "get_cache_status", model="detector")
    assert {"site-a", "site-b", "site-c"} <= set(cache["resident_at"])
    first = cache["held_at"][0]
    assert (first["site"], first["free_slots"], first["waiting"]) == ("site-a", 1, 0)
    assert "no site holds 'none'; there are: detector" in refusal("inference", look, "get_cache_status", model="none")


def test_the_swarm_and_its_rounds(group: Metro, look: Session) -> None:
    state = told("memory_sync", look, "get_swarm_state", limit=2)
    assert ([one["fence"] for one in state["rounds"]], state["newest"]) == (["1.3", "1.2"], "1.3")
    assert state["members"] == dict.fromkeys(ALL[:3], "alive")
    older = told("memory_sync", look, "get_swarm_state", limit=2, cursor=state["next_cursor"])
    assert ([one["fence"] for one in older["rounds"]], older["newest"]) == (["1.1"], "1.3")
    assert (state["since_change_ms"], state["swarm"]) == (1234.5, None)
    found = told("memory_sync", look, "get_round", fence="1.2")
    kept = group.journals["site-b"].find(Fence(1, 2))
    assert kept is not None
    assert found["tally"] == record_document(kept)["tally"]
    assert {site: vote["tool_calls"][0]["tool"] for site, vote in found["votes"].items()} == dict.fromkeys(
        ALL[:3], "site_loads"
    )
    assert "no round 9.9 is kept" in refusal("memory_sync", look, "get_round", fence="9.9")


def test_how_a_site_takes_part_is_told_as_it_says_itself() -> None:
    group = telling_metro()
    status = SwarmStatus("1.3", True, ["site-a", "site-b"], True, 4.5, None, 0)
    group.controllers["site-a"].view.swarm = lambda: status
    told_of = told("memory_sync", viewer(in_process(group)), "get_swarm_state", local=True)["swarm"]
    assert told_of == asdict(status)


def test_a_fleet_without_rounds_has_no_newest() -> None:
    state = told("memory_sync", viewer(in_process(telling_metro(rounds=0))), "get_swarm_state")
    assert (state["newest"], state["rounds"]) == (None, [])


@pytest.mark.parametrize(
    ("server", "uri", "key"),
    [
        ("metrics_monitor", "edgemind://fleet", "sites"),
        ("metrics_monitor", "edgemind://sites/site-b", "site"),
        ("telemetry", "edgemind://decisions", "decisions"),
        ("inference", "edgemind://models", "models"),
        ("memory_sync", "edgemind://rounds", "rounds"),
        ("memory_sync", "edgemind://rounds/1.3", "ballots"),
    ],
)
def test_resources_hold_what_the_tools_tell(look: Session, server: str, uri: str, key: str) -> None:
    async def read(client: Client) -> str:
        (content,) = (await client.read_resource(uri)).contents
        assert content.mime_type == "application/json"
        return str(getattr(content, "text", ""))

    assert json.loads(with_client(server, look, read))[key]
