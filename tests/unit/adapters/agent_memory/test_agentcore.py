"""Recalls of AgentCore where no stand-in of AWS is of help: names below a name, and calls without end.

ministack takes `namespacePath`, but finds only what is under exactly that name.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from edgemind.adapters.agent_memory import agentcore
from edgemind.adapters.agent_memory.agentcore import RECALL_WITHIN_S, AgentCoreMemory, MemoryPlace
from edgemind.domain.agent_memory import Memory, MemoryKind, Wanted, memory_document
from tests.support.clocks import ManualClock
from tests.support.memories import AT_MS, memory


@dataclass
class AgentCore:
    """AWS's side of a memory: `learned` by namespace, and one day for each event. Each call takes `call_s`."""

    learned: Sequence[tuple[str, str]] = ()
    events: Sequence[Memory] = ()
    clock: ManualClock = field(default_factory=ManualClock)
    call_s: float = 0.0
    calls: list[str] = field(default_factory=list)

    def retrieve_memory_records(self, *, namespacePath: str, searchCriteria: Mapping[str, Any], **_: object) -> Any:  # noqa: N803
        self._called("retrieve_memory_records")
        path = namespacePath.rstrip("/")
        under = [text for name, text in self.learned if f"{name}/".startswith(f"{path}/")]
        at = datetime.fromtimestamp(AT_MS / 1000, UTC)
        return {
            "memoryRecordSummaries": [
                {"memoryRecordId": f"mem-{number}", "createdAt": at, "content": {"text": text}}
                for number, text in enumerate(under[: searchCriteria["topK"]])
            ]
        }

    def list_sessions(self, **_: object) -> Any:
        self._called("list_sessions")
        return {"sessionSummaries": [{"sessionId": f"berlin-{day(one)}"} for one in self.events]}

    def list_events(self, *, sessionId: str, **_: object) -> Any:  # noqa: N803
        self._called("list_events")
        of_day = [one for one in self.events if sessionId == f"berlin-{day(one)}"]
        return {"events": [{"payload": [{"blob": json.dumps(memory_document(one))}]} for one in of_day]}

    def _called(self, what: str) -> None:
        self.calls.append(what)
        self.clock.advance(self.call_s)


def day(one: Memory) -> str:
    return f"{datetime.fromtimestamp(one.at_ms / 1000, UTC):%Y%m%d}"


Recall = Callable[..., tuple[list[str], str]]


@pytest.fixture
def recall(monkeypatch: pytest.MonkeyPatch) -> Recall:
    """What is recalled of an AgentCore, as texts, and how it was matched."""

    def ask(side: AgentCore, **wanted: Any) -> tuple[list[str], str]:
        monkeypatch.setattr(agentcore, "new_client", lambda *_, **__: side)
        place = MemoryPlace(lambda: "edgemind_test-Ab3dEf7h1J", "eu-central-1", None, "/metro/berlin")
        found = AgentCoreMemory(place, "berlin", side.clock.monotonic_s).recall(Wanted(**wanted))
        return [one.text for one in found.memories], found.matched_by

    return ask


def test_what_strategies_learned_lies_below_the_metros_name_and_not_beside_it(recall: Recall) -> None:
    """As the stacks deploy it: facts over all time, a summary a day, and an advisor of its own."""
    side = AgentCore(
        [
            ("/metro/berlin/facts", "site-a is busy in the evening"),
            ("/metro/berlin/days/berlin-20260101", "a quiet day"),
            ("/metro/berlin-advisor/facts", "somebody asked"),
        ]
    )
    assert recall(side, text="evening")[0] == ["site-a is busy in the evening", "a quiet day"]
    assert recall(side, text="evening", kind=MemoryKind.LEARNED, limit=1)[0] == ["site-a is busy in the evening"]


def test_what_was_learned_leaves_room_for_what_happened(recall: Recall) -> None:
    """A search by meaning always finds as much as it may, however little of it fits."""
    vague = [("/metro/berlin/facts", f"something else, {number}") for number in range(50)]
    side = AgentCore(vague, [memory(1, "shift 40 % of site-a's llm to site-c")])
    texts, _ = recall(side, text="shift llm", limit=10)
    assert len(texts) == 10
    assert texts[-1] == "shift 40 % of site-a's llm to site-c"
    assert recall(side, text="shift llm", limit=1)[0] == ["shift 40 % of site-a's llm to site-c"]
    side.events = [memory(number, f"shift number {number}") for number in range(20)]
    texts, _ = recall(side, text="shift", limit=10)
    assert sum(text.startswith("something else") for text in texts) == 5


@pytest.mark.parametrize("wanted", [{}, {"text": "llm", "site": "site-a"}, {"text": "llm", "kind": MemoryKind.NOTE}])
def test_a_search_that_was_not_made_is_not_told_of(recall: Recall, wanted: dict[str, Any]) -> None:
    side = AgentCore([("/metro/berlin/facts", "llm")], [memory(1, "llm")])
    assert recall(side, **wanted)[1] == "whole words"
    assert "retrieve_memory_records" not in side.calls
    assert "semantic" in recall(side, text="llm")[1]


def test_a_recall_ends_before_its_caller_has_given_up(recall: Recall) -> None:
    """A kind that is rare is looked for in every day that is kept: so many calls that take too long together."""
    side = AgentCore((), [memory(number, f"round {number}") for number in range(300)], call_s=0.1)
    texts, matched_by = recall(side, limit=100)
    assert texts[0] == "round 299"
    assert len(side.calls) <= RECALL_WITHIN_S / 0.1 + 1
    assert matched_by == "whole words, of the newest days only: to read them all would take more than 4 s"
    side.call_s = 0.0
    assert recall(side, limit=100)[1] == "whole words"


def test_what_nobody_writes_is_looked_for_nowhere(recall: Recall) -> None:
    """A dry run of `remember` asks like this, only to hear where memories are kept."""
    side = AgentCore([("/metro/berlin/facts", "llm")], [memory(1, "llm")])
    assert recall(side, kind=MemoryKind.LEARNED, limit=1) == ([], "whole words")
    assert side.calls == []
