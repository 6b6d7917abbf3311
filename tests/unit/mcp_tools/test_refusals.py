"""What is refused, cut short or goes wrong: each error names the tool and the cause, and nothing is changed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import BaseModel

from edgemind.domain.fleet_status import FleetStatus, ModelStatus, SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.access import Role
from edgemind.errors import StoreUnavailable
from mcp_tools import container_ops
from mcp_tools.calls import Call, Session
from mcp_tools.catalogue import SERVERS
from mcp_tools.in_process import FleetInProcess, OwnRounds
from mcp_tools.tools import RESULT_LIMIT_BYTES, ServerSpec, ToolSpec
from tests.support.controllers import Metro
from tests.support.mcp_sessions import (
    called,
    in_process,
    operator,
    refusal,
    telling_metro,
    text_of,
    told,
    viewer,
    with_client,
)

WRITES = [(name, tool.run.__name__) for name, spec in SERVERS.items() for tool in spec.tools if tool.changes]
ARGUMENTS: dict[str, dict[str, object]] = {
    "drain_site": {"site": "site-b"},
    "scale_model": {"model": "detector", "replicas": 2},
    "log_event": {"event": "the fans were cleaned"},
    "remember": {"text": "the fans were cleaned"},
    "open_round": {"model": "detector"},
    "run_inference": {"model": "detector", "site": "site-a", "prompt": "Say hello."},
}


@pytest.fixture
def group() -> Metro:
    return telling_metro()


def test_tools_that_change_something_are_those_that_are_kept_from_viewers() -> None:
    specs = [tool for spec in SERVERS.values() for tool in spec.tools]
    assert {tool.run.__name__ for tool in specs if tool.least > Role.VIEWER} == {name for _, name in WRITES}


@pytest.mark.parametrize(("server", "tool"), WRITES)
def test_a_viewer_changes_nothing(group: Metro, server: str, tool: str) -> None:
    said = refusal(server, replace(viewer(in_process(group)), cure="bring a token"), tool, **ARGUMENTS[tool])
    assert said == (f"Error executing tool {tool}: needs the operator role, and this caller is viewer: bring a token")
    assert not any(controller.own.drain_requested for controller in group.controllers.values())


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("get_site_metrics", {}, "site"),
        ("get_site_metrics", {"site": 7}, "site"),
        ("get_site_metrics", {"site": "../keys"}, "site"),
        ("get_site_metrics", {"site": "site-a", "sight": "site-b"}, "sight"),
        ("get_fleet_metrics", {"limit": 0}, "limit"),
        ("get_fleet_metrics", {"limit": 201}, "limit"),
        ("get_fleet_metrics", {"limit": "many"}, "limit"),
    ],
)
def test_malformed_arguments_are_named(group: Metro, tool: str, arguments: dict[str, object], named: str) -> None:
    said = refusal("metrics_monitor", viewer(in_process(group)), tool, **arguments)
    assert said.startswith(f"Error executing tool {tool}: ")
    assert f"\n{named}\n" in said


def test_a_misspelt_dry_run_is_no_drain(group: Metro) -> None:
    act = operator(in_process(group))
    assert "dry_rum" in refusal("container_ops", act, "drain_site", site="site-b", dry_rum=True)
    assert not group.controllers["site-b"].own.drain_requested


def test_a_drain_is_tried_done_and_taken_back(group: Metro) -> None:
    act, own = operator(in_process(group)), group.controllers["site-b"].own
    tried = told("container_ops", act, "drain_site", site="site-b", dry_run=True)
    assert (tried["applied"], tried["was"], tried["in_flight"], own.drain_requested) == (False, "alive", 3, False)
    assert told("container_ops", act, "drain_site", site="site-b")["applied"]
    assert own.drain_requested
    told("container_ops", act, "drain_site", site="site-b", draining=False)
    assert not group.controllers["site-b"].own.drain_requested
    assert "has no controller" in refusal("container_ops", act, "drain_site", site="theirs")
    assert "no site is called 'nowhere'" in refusal("container_ops", act, "drain_site", site="nowhere")


def test_a_write_that_rests_on_an_older_round_is_refused(group: Metro) -> None:
    act, own = operator(in_process(group)), group.controllers["site-b"].own
    for dry_run in (True, False):
        said = refusal("container_ops", act, "drain_site", site="site-b", fence="1.2", dry_run=dry_run)
        assert "round 1.3 was decided after 1.2" in said
    assert not own.drain_requested
    told("container_ops", act, "drain_site", site="site-b", fence="1.3")
    assert own.drain_requested


def test_a_round_is_asked_for_by_operators(group: Metro) -> None:
    asked: list[str] = []
    group.controllers["site-a"].on_asked = asked.append
    act = operator(in_process(group))
    tried = told("memory_sync", act, "open_round", model="detector", dry_run=True)
    assert (tried, asked) == ({"site": "site-a", "model": "detector", "applied": False}, [])
    assert "site-a does not hold 'none'" in refusal("memory_sync", act, "open_round", model="none", dry_run=True)
    assert "was decided after 1.1" in refusal("memory_sync", act, "open_round", model="detector", fence="1.1")
    assert told("memory_sync", act, "open_round", model="detector", fence="1.3")["applied"]
    assert asked == ["detector"]


class Emptying(FleetInProcess):
    """Its sites have one request less under way at each look."""

    left = 4

    async def site(self, name: str) -> SiteStatus:
        self.left -= 1
        return replace(await super().site(name), models=[ModelStatus("detector", self.left, 4, 10.0, True, 0.0)])


def test_a_drain_that_waits_tells_how_far_it_is(group: Metro, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_ops, "POLL_S", 0.0)
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    fleet = Emptying(lambda: group.controllers["site-a"], lambda: OwnRounds(Thresholds()), group.clock)
    result = with_client(
        "container_ops",
        operator(fleet),
        lambda client: client.call_tool("drain_site", {"site": "site-b", "wait_s": 60}, progress_callback=hear),
    )
    assert result.structured_content is not None
    assert (result.is_error, result.structured_content["in_flight"]) == (False, 0)
    assert heard == [
        (0, 2, "2 requests are under way at site-b"),
        (1, 2, "1 requests are under way at site-b"),
    ]


class Report(BaseModel):
    text: str


def one_tool(run: Callable[..., object], timeout_s: float = 5.0) -> ServerSpec:
    return ServerSpec("one", "A test's.", [ToolSpec(run, timeout_s=timeout_s)])  # type: ignore[arg-type]


async def hang(call: Call) -> Report:
    """Never answers."""
    await asyncio.Event().wait()
    return Report(text="")


async def flood(call: Call, size: int) -> Report:
    """Answers at length."""
    return Report(text="x" * size)


async def stumble(call: Call) -> Report:
    """Has a defect."""
    raise ZeroDivisionError("by nought")


async def unlucky(call: Call) -> Report:
    """Meets trouble that EdgeMind knows."""
    raise StoreUnavailable("the store's disk is full")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (hang, "no answer within 0.01 s: the fleet hangs, or is very slow"),
        (stumble, "unexpected ZeroDivisionError: by nought"),
        (unlucky, "the store's disk is full"),
    ],
)
def test_what_goes_wrong_is_told_with_tool_and_cause(
    group: Metro, monkeypatch: pytest.MonkeyPatch, run: Callable[..., object], said: str
) -> None:
    monkeypatch.setitem(SERVERS, "one", one_tool(run, timeout_s=0.01))
    name = getattr(run, "__name__", "")
    assert refusal("one", viewer(in_process(group)), name) == f"Error executing tool {name}: {said}"


def test_an_oversized_answer_is_refused_and_the_limit_told(group: Metro, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVERS, "one", one_tool(flood))
    look = viewer(in_process(group))
    frame = len('{"text":""}')
    assert not called("one", look, "flood", {"size": RESULT_LIMIT_BYTES - frame}).is_error
    said = refusal("one", look, "flood", size=RESULT_LIMIT_BYTES - frame + 1)
    assert f"the answer has {RESULT_LIMIT_BYTES + 1} bytes and the limit is {RESULT_LIMIT_BYTES}" in said


class Vast(FleetInProcess):
    """A thousand sites."""

    async def fleet(self, local: bool = False) -> FleetStatus:
        models = [ModelStatus(f"model-{k}", 0, 4, 10.0, True, 0.0) for k in range(5)]
        sites = [SiteStatus(f"site-{k:04}", SiteState.ALIVE, [], models, 0.0) for k in range(1000)]
        return FleetStatus("test", "site-0000", 0, 0.0, sites)


def test_a_vast_fleet_is_asked_for_in_pages_that_fit(group: Metro) -> None:
    fleet = Vast(lambda: group.controllers["site-a"], lambda: OwnRounds(Thresholds()), group.clock)
    page = told("metrics_monitor", viewer(fleet), "get_fleet_metrics", limit=200)
    assert (len(page["sites"]), page["left_off"], page["next_after"]) == (200, 800, "site-0199")


def test_an_unknown_tool_is_refused(group: Metro) -> None:
    result = called("telemetry", Session(Role.ADMIN, in_process(group)), "drop_everything")
    assert (result.is_error, text_of(result)) == (True, "Unknown tool: drop_everything")
