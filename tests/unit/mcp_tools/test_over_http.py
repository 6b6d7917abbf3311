"""A fleet over its API: the caller's own token goes there, and whatever is wrong with the answer is told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from edgemind.domain.swarm.records import Fence
from edgemind.entrypoints import fleet_client
from edgemind.entrypoints.cli import cli
from edgemind.entrypoints.fleet_client import FleetClient
from mcp_tools.over_http import FleetOverHttp
from tests.support.controllers import Metro
from tests.support.mcp_sessions import (
    DECISION,
    EXPLANATION,
    in_process,
    operator,
    refusal,
    served_application,
    telling_metro,
    told,
    viewer,
)
from tests.support.serving import free_port, served

READS = [
    ("metrics_monitor", "get_site_metrics", {"site": "site-a"}),
    ("telemetry", "query_journal", {"limit": 2}),
    ("inference", "list_models", {}),
    ("memory_sync", "get_round", {"fence": "1.2"}),
    ("metrics_monitor", "get_fleet_metrics", {"limit": 2}),
    ("metrics_monitor", "get_fleet_metrics", {"model": "detector"}),
]


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


@pytest.fixture(scope="module")
def url(group: Metro) -> Iterator[str]:
    with served(served_application(group)) as address:
        yield address


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def over_http(url: str, threads: ThreadPoolExecutor, token: str | None = "look") -> FleetOverHttp:
    return FleetOverHttp(FleetClient(url, token), threads)


@pytest.mark.parametrize(("server", "tool", "arguments"), READS)
def test_a_fleet_tells_over_http_what_it_tells_in_process(
    group: Metro, url: str, threads: ThreadPoolExecutor, server: str, tool: str, arguments: dict[str, object]
) -> None:
    remote = told(server, viewer(over_http(url, threads)), tool, **arguments)
    assert remote == told(server, viewer(in_process(group)), tool, **arguments)


def test_the_swarm_over_http_is_the_whole_metros(group: Metro, url: str, threads: ThreadPoolExecutor) -> None:
    state = told("memory_sync", viewer(over_http(url, threads)), "get_swarm_state", limit=1)
    assert ([one["site"] for one in state["rounds"]], state["newest"]) == (["site-b"], "1.3")
    assert list(state["members"]) == ["site-a", "site-b", "site-c"]
    kept = group.journals["site-b"].find(Fence(1, 3))
    assert kept is not None
    assert kept.decided_ms is not None
    assert state["since_change_ms"] == group.clock.wall_ms() - kept.at_ms - kept.decided_ms > 50_000


def test_thresholds_that_nobody_tells_are_the_defaults(url: str, threads: ThreadPoolExecutor) -> None:
    report = told("metrics_monitor", viewer(over_http(url, threads)), "check_thresholds", site="site-a")
    assert report["thresholds_from"] == "defaults"


def test_a_decision_is_explained(url: str, threads: ThreadPoolExecutor) -> None:
    found = told("telemetry", viewer(over_http(url, threads)), "query_journal", decision_id=DECISION)
    assert found["explanation"] == EXPLANATION


def test_the_fleet_has_the_last_word_on_what_a_token_may_do(
    group: Metro, url: str, threads: ThreadPoolExecutor
) -> None:
    """Even where this server was told that its caller may write."""
    tried = operator(over_http(url, threads))
    said = refusal("container_ops", tried, "drain_site", site="site-b")
    assert told("container_ops", tried, "drain_site", site="site-b", dry_run=True)["was"] == "alive"
    assert (
        said
        == "Error executing tool drain_site: this needs the operator role and you are viewer: send the operator token"
    )
    own = group.controllers["site-b"].own
    told("container_ops", operator(over_http(url, threads, "act")), "drain_site", site="site-b")
    assert own.drain_requested
    told("container_ops", operator(over_http(url, threads, "act")), "drain_site", site="site-b", draining=False)


def test_a_round_is_asked_for_over_http(group: Metro, url: str, threads: ThreadPoolExecutor) -> None:
    asked: list[str] = []
    group.controllers["site-a"].on_asked = asked.append
    said = refusal("memory_sync", operator(over_http(url, threads)), "open_round", model="detector")
    assert "this needs the operator role" in said
    told_of = told("memory_sync", operator(over_http(url, threads, "act")), "open_round", model="detector")
    assert (told_of["applied"], asked) == (True, ["detector"])


@pytest.mark.parametrize(
    ("token", "said"), [("wrong", "this is not a token of the fleet"), (None, "Send `Authorization: Bearer TOKEN`")]
)
def test_a_token_that_the_fleet_does_not_know_is_refused(
    url: str, threads: ThreadPoolExecutor, token: str | None, said: str
) -> None:
    assert said in refusal("metrics_monitor", viewer(over_http(url, threads, token)), "get_fleet_metrics")


def test_nobody_there(threads: ThreadPoolExecutor) -> None:
    fleet = over_http(f"http://127.0.0.1:{free_port()}", threads)
    said = refusal("metrics_monitor", viewer(fleet), "get_fleet_metrics")
    assert said.startswith("Error executing tool get_fleet_metrics: the fleet at http://127.0.0.1:")
    assert "cannot be reached" in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"metro": "test"}', "is malformed (asked: Field required)"),
        (
            b'{"metro": "test", "asked": "a", "at_ms": "soon", "requests_per_s": 1, "sites": []}',
            "is malformed (at_ms: ",
        ),
        (
            b'{"metro": "test", "asked": "a", "at_ms": 1, "requests_per_s": 1, "sites": [{}]}',
            "is malformed (sites.0.name",
        ),
        (b"[]", "is not a fleet API"),
        (b"<html>", "is not a fleet API"),
    ],
)
def test_what_is_no_answer_of_a_fleet_is_named(threads: ThreadPoolExecutor, body: bytes, said: str) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    with served(application) as url:
        assert said in refusal("metrics_monitor", viewer(over_http(url, threads)), "get_fleet_metrics")


def test_an_answer_without_end_is_given_up(threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_client, "ANSWER_LIMIT_BYTES", 1000)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b" " * 1001})

    with served(application) as url:
        said = refusal("metrics_monitor", viewer(over_http(url, threads)), "get_fleet_metrics")
    assert "answers with more than 1000 bytes" in said


def test_a_newer_fleet_may_say_more(group: Metro, threads: ThreadPoolExecutor) -> None:
    document = b'{"metro": "test", "asked": "a", "at_ms": 1, "requests_per_s": 1, "sites": [], "moon": "full"}'

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": document})

    with served(application) as url:
        assert told("metrics_monitor", viewer(over_http(url, threads)), "get_fleet_metrics")["sites"] == []


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["nonsense"], 2, "is not one of"),
        (["telemetry"], 2, "no fleet is known here"),
        (["telemetry", "--transport", "streamable-http", "--allow-writes"], 2, "are for stdio"),
        (["telemetry", "--transport", "streamable-http"], 2, "edgemind.yaml"),
        (["inference", "--fleet", "http://127.0.0.1:1", "--key-file", "none"], 1, "--key-file none cannot be read"),
    ],
)
def test_flags_that_cannot_work_are_refused(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, flags: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(cli, ["mcp", *flags], env={"EDGEMIND_FLEET_URL": None, "EDGEMIND_CONFIG": None})
    assert (ended.exit_code, said in ended.output) == (code, True), ended.output
