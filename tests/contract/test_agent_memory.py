"""What every memory promises, whatever keeps it; and what each of them goes through alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from edgemind.adapters.agent_memory.agentcore import AgentCoreMemory, MemoryPlace
from edgemind.adapters.agent_memory.local import FileMemory, ProcessMemory
from edgemind.adapters.agent_memory.none import NoMemory
from edgemind.domain.agent_memory import MemoryKind, Wanted
from edgemind.errors import PermanentError, StoreUnavailable
from edgemind.ports.agent_memory import AgentMemory
from tests.support.engines.aws import LocalAws
from tests.support.memories import AT_MS, DAY_MS, memory, new_agentcore_memory
from tests.support.serving import free_port

ENGINE = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(params=["file", "process", pytest.param("agentcore", marks=ENGINE)])
def agent_memory(request: pytest.FixtureRequest, tmp_path: Path) -> AgentMemory:
    if request.param == "file":
        return FileMemory(tmp_path, "site-a")
    if request.param == "process":
        return ProcessMemory()
    return agentcore(request.getfixturevalue("ministack"))


def agentcore(engine: LocalAws, **place: Any) -> AgentCoreMemory:
    memory_id = new_agentcore_memory(engine)
    return AgentCoreMemory(MemoryPlace(lambda: memory_id, engine.region, engine.endpoint_url, **place), "berlin")


def texts(agent_memory: AgentMemory, **wanted: Any) -> list[str]:
    return [one.text for one in agent_memory.recall(Wanted(**wanted)).memories]


def test_what_nobody_told_nobody_recalls(agent_memory: AgentMemory) -> None:
    found = agent_memory.recall(Wanted("a crowd"))
    assert (found.memories, found.damaged) == ([], 0)


def test_a_memory_comes_back_as_it_was_told(agent_memory: AgentMemory) -> None:
    told = memory(3, 'shift 40 % of site-a\'s llm to site-c: "späť" \x1b[31m', by="decision_coordinator")
    agent_memory.remember(told)
    found = agent_memory.recall(Wanted())
    assert found.memories == [told]
    assert found.kept == agent_memory.kept


def test_the_newest_come_first_and_no_more_than_wanted(agent_memory: AgentMemory) -> None:
    for number in (2, 4, 1, 3):
        agent_memory.remember(memory(number, f"round {number}"))
    assert texts(agent_memory) == ["round 4", "round 3", "round 2", "round 1"]
    assert texts(agent_memory, limit=2) == ["round 4", "round 3"]


def test_told_twice_it_is_recalled_once(agent_memory: AgentMemory) -> None:
    for _ in range(2):
        agent_memory.remember(memory(1, "only once"))
    assert texts(agent_memory) == ["only once"]


def test_kind_site_and_time_all_have_to_fit(agent_memory: AgentMemory) -> None:
    agent_memory.remember(memory(1, "decided"))
    agent_memory.remember(memory(2, "woken", kind=MemoryKind.ACTIVATION, site="site-b"))
    agent_memory.remember(memory(3, "decided again"))
    assert texts(agent_memory, kind=MemoryKind.OUTCOME) == ["decided again", "decided"]
    assert texts(agent_memory, site="site-b") == ["woken"]
    assert texts(agent_memory, site="site-b", kind=MemoryKind.OUTCOME) == []
    assert texts(agent_memory, since_ms=AT_MS + 2 * DAY_MS) == ["decided again", "woken"]
    assert texts(agent_memory, until_ms=AT_MS + 2 * DAY_MS) == ["decided"]
    assert texts(agent_memory, since_ms=AT_MS + 2 * DAY_MS, until_ms=AT_MS + 3 * DAY_MS) == ["woken"]


def test_a_text_finds_what_holds_most_of_its_words(agent_memory: AgentMemory) -> None:
    agent_memory.remember(memory(1, "shift 100 % of site-a's llm to site-c"))
    agent_memory.remember(memory(2, "run 2 replicas of detector at site-b"))
    agent_memory.remember(memory(3, "shift 40 % of site-b's detector to site-c"))
    assert texts(agent_memory, text="detector SHIFT") == [
        "shift 40 % of site-b's detector to site-c",
        "run 2 replicas of detector at site-b",
        "shift 100 % of site-a's llm to site-c",
    ]
    assert texts(agent_memory, text="replicas") == ["run 2 replicas of detector at site-b"]
    assert texts(agent_memory, text="1.3") == texts(agent_memory, text="1 3")
    assert texts(agent_memory, text="elephants") == []


def test_no_memory_lets_everything_go_and_says_so() -> None:
    none: AgentMemory = NoMemory()
    none.remember(memory(1))
    found = none.recall(Wanted())
    assert (found.memories, found.kept) == ([], "nowhere: memory.kind is off")


# What only files go through


def test_a_file_outlives_its_process_and_says_that_it_is_of_this_machine_only(tmp_path: Path) -> None:
    FileMemory(tmp_path, "site-a").remember(memory(1, "before"))
    again = FileMemory(tmp_path, "site-a")
    assert texts(again) == ["before"]
    assert again.kept == f"local: {tmp_path / 'memory'}, on this machine only"
    assert (tmp_path / "memory" / "site-a.jsonl").stat().st_mode & 0o777 == 0o600


def test_sites_of_one_folder_recall_each_others(tmp_path: Path) -> None:
    FileMemory(tmp_path, "site-b").remember(memory(1, "theirs", site="site-b"))
    assert texts(FileMemory(tmp_path, "site-a")) == ["theirs"]


def test_a_line_that_was_cut_short_costs_that_line(tmp_path: Path) -> None:
    kept = FileMemory(tmp_path, "site-a")
    kept.remember(memory(1, "whole"))
    path = tmp_path / "memory" / "site-a.jsonl"
    path.write_bytes(path.read_bytes() + b'{"v": 1, "id": "cut')
    kept.remember(memory(2, "after"))
    path.write_bytes(path.read_bytes() + b'{"v": 0}\n[' + b"[" * 100_000 + b"\n\xff\n")
    found = kept.recall(Wanted())
    assert [one.text for one in found.memories] == ["after", "whole"]
    assert found.damaged == 4


def test_a_newer_version_may_say_more_and_know_more_kinds(tmp_path: Path) -> None:
    folder = tmp_path / "memory"
    folder.mkdir()
    newer = {"v": 2, "id": "x", "kind": "dream", "at_ms": 1, "site": "site-b", "text": "of sheep", "electric": True}
    (folder / "site-b.jsonl").write_text(json.dumps(newer) + "\n")
    (found,) = FileMemory(tmp_path, "site-a").recall(Wanted()).memories
    assert (found.kind, found.text, found.by, found.fence) == (MemoryKind.NOTE, "of sheep", "", None)


def test_files_do_not_grow_without_end(tmp_path: Path) -> None:
    kept = FileMemory(tmp_path, "site-a", limit_bytes=2000)
    for number in range(50):
        kept.remember(memory(number, f"round {number}"))
    sizes = [path.stat().st_size for path in (tmp_path / "memory").iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 2300
    assert texts(kept, limit=3) == ["round 49", "round 48", "round 47"]


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("a file is in the way")
    with pytest.raises(StoreUnavailable, match=r"cannot write .*/memory/site-a\.jsonl.*state\.directory"):
        FileMemory(tmp_path, "site-a").remember(memory(1))
    assert FileMemory(tmp_path, "site-a").recall(Wanted()).memories == []


def test_a_process_of_its_own_forgets_the_oldest() -> None:
    kept = ProcessMemory(limit=2)
    for number in range(4):
        kept.remember(memory(number, f"round {number}"))
    assert texts(kept) == ["round 3", "round 2"]


# What only AgentCore goes through


def test_nobody_listens_at_agentcore(aws_credentials: None) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    nobody = AgentCoreMemory(MemoryPlace(lambda: "edgemind_test-Ab3dEf7h1J", "eu-central-1", url), "berlin")
    with pytest.raises(StoreUnavailable, match=r"cannot remember in AgentCore Memory: edgemind_test-Ab3dEf7h1J"):
        nobody.remember(memory(1))


@pytest.mark.engine
@pytest.mark.slow
def test_a_memory_that_is_not_there_is_a_persons_matter(ministack: LocalAws) -> None:
    place = MemoryPlace(lambda: "edgemind_test-Ab3dEf7h1J", ministack.region, ministack.endpoint_url)
    missing = AgentCoreMemory(place, "berlin")
    for call in (lambda: missing.remember(memory(1)), lambda: missing.recall(Wanted())):
        with pytest.raises(PermanentError, match=r"not found.*Check memory\.memory_id and memory\.region"):
            call()


@pytest.mark.engine
@pytest.mark.slow
def test_what_agentcore_learned_comes_before_events(ministack: LocalAws) -> None:
    """ministack finds what lies under exactly that name; AWS also what lies below it, which no test here can show."""
    kept = agentcore(ministack, namespace="/metro/berlin")
    kept.remember(memory(1, "shift 40 % of site-a's llm to site-c"))
    client, memory_id = kept._opened()
    client.batch_create_memory_records(
        memoryId=memory_id,
        records=[
            {
                "requestIdentifier": "one",
                "namespaces": ["/metro/berlin"],
                "content": {"text": "In the evening site-a's llm is shifted."},
                "timestamp": AT_MS / 1000,
            }
        ],
    )
    found = kept.recall(Wanted("llm shifted"))
    assert [one.kind for one in found.memories] == [MemoryKind.LEARNED, MemoryKind.OUTCOME]
    assert "semantic" in found.matched_by
    assert [one.kind for one in kept.recall(Wanted("llm", kind=MemoryKind.LEARNED)).memories] == [MemoryKind.LEARNED]
    assert texts(kept, text="llm", site="site-a") == ["shift 40 % of site-a's llm to site-c"]


@pytest.mark.engine
@pytest.mark.slow
def test_events_of_others_are_left_aside_and_counted(ministack: LocalAws) -> None:
    kept = agentcore(ministack)
    kept.remember(memory(1, "ours"))
    client, memory_id = kept._opened()
    for payload in ([{"conversational": {"content": {"text": "theirs"}, "role": "USER"}}], [{"blob": "no JSON"}]):
        client.create_event(
            memoryId=memory_id, actorId="berlin", sessionId="berlin-20260102", eventTimestamp=1, payload=payload
        )
    found = kept.recall(Wanted())
    assert ([one.text for one in found.memories], found.damaged) == (["ours"], 2)


@pytest.mark.engine
@pytest.mark.slow
def test_a_metro_recalls_nothing_of_another_one(ministack: LocalAws) -> None:
    kept = agentcore(ministack)
    kept.remember(memory(1, "in Berlin"))
    _, memory_id = kept._opened()
    place = MemoryPlace(lambda: memory_id, ministack.region, ministack.endpoint_url)
    assert texts(AgentCoreMemory(place, "paris")) == []
    assert texts(AgentCoreMemory(place, "berlin")) == ["in Berlin"]


@pytest.mark.parametrize(
    ("kind", "store", "expected"),
    [("off", "json", NoMemory), ("local", "json", FileMemory), ("local", "memory", ProcessMemory)],
)
def test_the_configuration_chooses(tmp_path: Path, kind: str, store: str, expected: type[AgentMemory]) -> None:
    from edgemind import bootstrap
    from edgemind.settings import load_settings
    from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

    text = f"{EXAMPLE}memory: {{kind: {kind}}}\n".replace("store: json", f"store: {store}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        settings = load_settings(write_example(tmp_path, text))
    assert type(bootstrap.open_agent_memory(settings, "site-a")) is expected


def test_agentcore_without_a_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edgemind.errors import ConfigurationError
    from edgemind.settings import load_settings
    from tests.unit.settings_example import EXAMPLE, SECRETS, write_example

    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=r"memory\.memory_id: is missing.*add memory_id: NAME"):
        load_settings(write_example(tmp_path, f"{EXAMPLE}memory: {{kind: agentcore}}\n"))
