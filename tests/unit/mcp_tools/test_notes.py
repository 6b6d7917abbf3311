"""Memories and the audit journal as tools: in the controller's process and over the fleet API alike."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgemind.domain.agent_memory import MemoryKind, Recollection, Wanted
from edgemind.domain.audit.entries import EntryKind
from edgemind.entrypoints.controller.access import Role
from edgemind.entrypoints.fleet_client import FleetClient
from edgemind.ports.scaler import Replicas
from mcp_tools.calls import Session
from mcp_tools.over_http import FleetOverHttp
from mcp_tools.source import FleetSource
from tests.support.controllers import Metro, metro, report, site
from tests.support.mcp_sessions import Notes, in_process, operator, refusal, served_application, telling_metro, told
from tests.support.serving import served

Ways = Callable[[str], Session]


@pytest.fixture(scope="module")
def group() -> Metro:
    return telling_metro()


@pytest.fixture
def notes(group: Metro) -> Iterator[Notes]:
    kept = Notes(group)
    yield kept
    kept.keeper.close()


@pytest.fixture(params=["in_process", "over_http"])
def fleet(request: pytest.FixtureRequest, group: Metro, notes: Notes) -> Iterator[FleetSource]:
    if request.param == "in_process":
        yield in_process(group, notes)
        return
    with served(served_application(group, notes)) as url, ThreadPoolExecutor(2) as threads:
        yield FleetOverHttp(FleetClient(url, "act"), threads)


def test_what_is_remembered_is_recalled(fleet: FleetSource, notes: Notes) -> None:
    act = operator(fleet)
    first = told("memory_sync", act, "remember", text="the llm at site-a is slow on Mondays")
    told("memory_sync", act, "remember", text="shifted to site-c", kind="outcome", round="1.3")
    assert (first["applied"], first["site"]) == (True, "site-a")
    assert first["kept"] == "local: in this process only, lost when it ends"
    kept = notes.kept()
    assert {(one.kind, one.fence) for one in kept} == {(MemoryKind.NOTE, None), (MemoryKind.OUTCOME, "1.3")}
    assert {one.by for one in kept} <= {"an agent of site-a", "operator"}


def test_a_recall_says_where_memories_are_and_how_it_looked(fleet: FleetSource, notes: Notes) -> None:
    from tests.support.memories import AT_MS, DAY_MS, memory

    notes.memory.remember(memory(1, "shift to site-c"))
    notes.memory.remember(memory(2, "run 2 replicas", kind=MemoryKind.EFFECT))
    look = Session(Role.VIEWER, fleet)
    found = told("memory_sync", look, "recall", text="replicas")
    assert [one["text"] for one in found["memories"]] == ["run 2 replicas"]
    assert (found["matched_by"], found["kept"]) == ("whole words", "local: in this process only, lost when it ends")
    assert len(told("memory_sync", look, "recall", limit=1)["memories"]) == 1
    assert [one["kind"] for one in told("memory_sync", look, "recall", kind="effect")["memories"]] == ["effect"]
    since = AT_MS + 2 * DAY_MS
    assert len(told("memory_sync", look, "recall", since_ms=since, site="site-a")["memories"]) == 1
    assert len(told("memory_sync", look, "recall", until_ms=since)["memories"]) == 1


def test_a_round_is_remembered_once_whoever_tells_it(group: Metro, notes: Notes) -> None:
    from tests.support.round_records import round_record

    notes.keeper.round_over(round_record(3))
    act = operator(in_process(group, notes))
    again = told("memory_sync", act, "remember", text="otherwise", kind="outcome", round="1.3")
    assert not again["applied"]
    assert sorted(one.kind for one in notes.kept()) == ["activation", "outcome"]


def test_a_dry_run_and_an_older_fence_write_nothing(
    fleet: FleetSource, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = operator(fleet)
    recall, asked = notes.keeper.recall, list[Wanted]()

    async def noted(wanted: Wanted) -> Recollection:
        asked.append(wanted)
        return await recall(wanted)

    monkeypatch.setattr(notes.keeper, "recall", noted)
    tried = told("memory_sync", act, "remember", text="not yet", dry_run=True)
    assert [one.kind for one in asked] == [MemoryKind.LEARNED], "which nobody has to look for"
    assert (tried["applied"], tried["id"], tried["site"]) == (False, None, "site-a")
    assert told("telemetry", act, "log_event", event="not yet", dry_run=True) == {
        "site": "site-a", "applied": False, "at_ms": None,
    }  # fmt: skip
    for server, tool, words in (("memory_sync", "remember", "text"), ("telemetry", "log_event", "event")):
        said = refusal(server, act, tool, **{words: "too late", "fence": "1.2"})
        assert "round 1.3 was decided after 1.2" in said
    assert (notes.entries, notes.kept()) == ([], [])


CANNOT: list[tuple[dict[str, object], str]] = [
    ({"text": ""}, "text"),
    ({"text": "x" * 2049}, "text"),
    ({"text": "a", "kind": "dream"}, "kind"),
    ({"text": "a", "kind": "outcome"}, "an outcome belongs to a round: say which one with fence"),
    ({"text": "a", "kind": "learned"}, "comes from AgentCore's strategies"),
    ({"text": "a", "round": "17"}, "round"),
]


def test_what_cannot_be_remembered_says_why(fleet: FleetSource) -> None:
    for arguments, said in CANNOT:
        assert said in refusal("memory_sync", operator(fleet), "remember", **arguments)


def test_an_event_is_logged_as_an_admin_action_with_the_callers_name(fleet: FleetSource, notes: Notes) -> None:
    logged = told("telemetry", operator(fleet), "log_event", event="drained for new disks", round="1.3")
    (entry,) = notes.entries
    assert (entry.kind, entry.site, entry.at_ms) == (EntryKind.ADMIN_ACTION, "site-a", logged["at_ms"])
    assert entry.body == {
        "action": "log_event",
        "by": "an agent of site-a" if fleet.__class__.__name__ == "FleetInProcess" else "operator",
        "event": "drained for new disks",
        "fence": "1.3",
    }


def test_without_an_audit_journal_logging_is_refused(group: Metro) -> None:
    bare = Notes(group, audited=False)
    said = refusal("telemetry", operator(in_process(group, bare)), "log_event", event="x")
    assert said.endswith("the controller of site-a keeps no audit journal to log to")
    bare.keeper.close()


def test_a_controller_without_memory_says_so(group: Metro) -> None:
    assert "keeps no memory" in refusal("memory_sync", operator(in_process(group)), "recall")


def test_the_fleet_has_the_last_word_on_who_may_write(group: Metro, notes: Notes) -> None:
    with served(served_application(group, notes)) as url, ThreadPoolExecutor(2) as threads:
        viewers = FleetOverHttp(FleetClient(url, "look"), threads)
        for server, tool, words in (("memory_sync", "remember", "text"), ("telemetry", "log_event", "event")):
            said = refusal(server, operator(viewers), tool, **{words: "sneaked in"})
            assert "this needs the operator role and you are viewer" in said
    assert (notes.entries, notes.kept()) == ([], [])


# Replicas


def scalable_metro() -> Metro:
    group = Metro(metro(*(site(name, max_replicas=3) for name in ("site-a", "site-b"))))
    for name, controller in group.controllers.items():
        controller.gateways.answer(report(name))
        controller.own.replicas = {"detector": Replicas(1, 1)}
    group.rounds(2)
    return group


@pytest.mark.parametrize("way", ["in_process", "over_http"])
def test_the_swarm_is_asked_for_replicas(way: str) -> None:
    group, asked = scalable_metro(), []
    group.controllers["site-a"].on_replicas_asked = lambda model, replicas: asked.append((model, replicas))
    with served(served_application(group)) as url, ThreadPoolExecutor(2) as threads:
        over_http = FleetOverHttp(FleetClient(url, "act"), threads)
        act = operator(in_process(group) if way == "in_process" else over_http)
        tried = told("container_ops", act, "scale_model", model="detector", replicas=3, dry_run=True)
        assert tried == {"site": "site-a", "model": "detector", "replicas": 3, "was": 1, "applied": False}
        assert asked == []
        assert told("container_ops", act, "scale_model", model="detector", replicas=3)["applied"]
        assert asked == [("detector", 3)]
        for arguments, said in (
            ({"model": "detector", "replicas": 4}, "site-a runs 1 of at most 3 replicas of detector"),
            ({"model": "none", "replicas": 2}, "site-a does not hold 'none'"),
            ({"model": "detector", "replicas": 1}, "greater than or equal to 2"),
        ):
            assert said in refusal("container_ops", act, "scale_model", **arguments)
    assert asked == [("detector", 3)]


def test_a_site_that_takes_part_in_no_rounds_scales_nothing() -> None:
    act = operator(in_process(scalable_metro()))
    assert "takes part in no rounds" in refusal("container_ops", act, "scale_model", model="detector", replicas=2)
