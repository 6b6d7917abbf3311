"""Memory in Amazon Bedrock AgentCore: an event for each thing, and what its strategies made of them.

The metro is the actor and each day is a session, so that no session grows without end. An event holds the words as one
turn of a conversation, which is what strategies extract from, and the whole document beside it.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, TypeVar

from edgemind.adapters.aws_calls import REMEDIES, errors, fault_of, new_client
from edgemind.domain.agent_memory import (
    Memory,
    MemoryKind,
    Recollection,
    Wanted,
    best_memories,
    memory_document,
    parse_memory,
)
from edgemind.domain.wire import DocumentInvalid
from edgemind.errors import PermanentError, StoreUnavailable

TIMEOUT_S = 2.0
ATTEMPTS = 2
"""Every call may be sent again: events carry a token of their own."""
PAGE = 100
EVENTS_LIMIT = 500
"""So many of the newest events are looked through for one recall."""
SESSIONS_LIMIT = 400
"""More days than AgentCore keeps events of."""
RECALL_WITHIN_S = 4.0
"""Then no further day is looked through: less than whoever recalls waits (`MemoryKeeper`)."""
WORDS, SEMANTIC = "whole words", "whole words of events, and AgentCore's semantic search of what it learned"
NEWEST_DAYS = f", of the newest days only: to read them all would take more than {RECALL_WITHIN_S:g} s"

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class MemoryPlace:
    """Below `namespace` strategies of that memory put what they learned; without it only events are looked through.

    `memory_id` may have to be looked up and then raises an EdgeMindError. No `region`: that of the environment.
    """

    memory_id: Callable[[], str]
    region: str | None = None
    endpoint_url: str | None = None
    namespace: str | None = None


class AgentCoreMemory:
    """`AgentMemory` of one metro. Threads may share it. Nothing is looked up or connected before the first call."""

    def __init__(self, place: MemoryPlace, metro: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._now_s = now_s
        self._metro = metro
        self._opening = threading.Lock()
        self._open: tuple[Any, str] | None = None

    @property
    def kept(self) -> str:
        where = self._open[1] if self._open else "a memory not looked up yet"
        return f"AgentCore Memory: {where}, actor {self._metro}"

    def remember(self, memory: Memory) -> None:
        day = datetime.fromtimestamp(memory.at_ms / 1000, UTC)
        turn = {"content": {"text": memory.text}, "role": "ASSISTANT"}
        self._call(
            "remember in",
            lambda client, memory_id: client.create_event(
                memoryId=memory_id,
                actorId=self._metro,
                sessionId=f"{self._metro}-{day:%Y%m%d}",
                eventTimestamp=day,
                payload=[{"conversational": turn}, {"blob": json.dumps(memory_document(memory))}],
                clientToken=sha256(memory.id.encode()).hexdigest(),
                metadata={
                    "kind": {"stringValue": memory.kind.value},
                    "site": {"stringValue": memory.site},
                },
            ),
        )

    def recall(self, wanted: Wanted) -> Recollection:
        until_s = self._now_s() + RECALL_WITHIN_S
        searched = self._place.namespace is not None and _searchable(wanted)
        learned = self._learned(wanted) if searched else []
        events, all_days = self._events(wanted, until_s)
        damaged = 0
        memories: list[Memory] = []
        for event in events:
            try:
                memories.append(_memory_of(event))
            except (ValueError, RecursionError, DocumentInvalid):
                damaged += 1
        best = best_memories(memories, wanted)
        # A search by meaning finds as much as it may, however badly it fits: half the room is for what happened.
        room = max(wanted.limit - len(best), wanted.limit // 2)
        found = [*learned[:room], *best][: wanted.limit]
        matched_by = f"{SEMANTIC if searched else WORDS}{'' if all_days else NEWEST_DAYS}"
        return Recollection(found, self.kept, matched_by, damaged)

    # Events

    def _events(self, wanted: Wanted, until_s: float) -> tuple[list[Any], bool]:
        """Of the newest days first, and of each day as AWS tells them, which is the newest first; and whether there was
        time for all days."""
        events: list[Any] = []
        if wanted.kind is MemoryKind.LEARNED:
            return events, True
        first, last = (_day(ms) for ms in (wanted.since_ms, wanted.until_ms))
        for session in self._sessions():
            day = session.rpartition("-")[2]
            if (first and day < first) or (last and day > last):
                continue
            if self._now_s() >= until_s:
                return events, False
            left = EVENTS_LIMIT - len(events)
            events += self._pages("list_events", "events", left, sessionId=session, **_filter(wanted))
            if len(events) >= EVENTS_LIMIT:
                break
        return events[:EVENTS_LIMIT], True

    def _sessions(self) -> Sequence[str]:
        told = (one["sessionId"] for one in self._pages("list_sessions", "sessionSummaries", limit=SESSIONS_LIMIT))
        return sorted((one for one in told if one.startswith(f"{self._metro}-")), reverse=True)

    def _pages(self, operation: str, key: str, limit: int = EVENTS_LIMIT, **arguments: Any) -> Iterator[Any]:
        given = {"actorId": self._metro, "maxResults": PAGE, **arguments}
        for _ in range(-(-limit // PAGE)):
            try:
                page = self._call(
                    "recall from",
                    lambda client, memory_id: getattr(client, operation)(memoryId=memory_id, **given),
                )
            except _NothingThere:
                return
            yield from page[key]
            if not page.get("nextToken"):
                return
            given["nextToken"] = page["nextToken"]

    def _learned(self, wanted: Wanted) -> list[Memory]:
        page = self._call(
            "search",
            lambda client, memory_id: client.retrieve_memory_records(
                memoryId=memory_id,
                namespacePath=self._place.namespace,
                searchCriteria={"searchQuery": wanted.text, "topK": wanted.limit},
            ),
        )
        learned = [_learned_memory(record, self._metro) for record in page["memoryRecordSummaries"]]
        until_ms = wanted.until_ms
        return [one for one in learned if one.at_ms >= wanted.since_ms and (until_ms is None or one.at_ms < until_ms)]

    # Calls

    def _call(self, doing: str, send: Callable[[Any, str], _Result]) -> _Result:
        try:
            return send(*self._opened())
        except errors() as exc:
            fault = fault_of(exc)
            if fault.code == "ResourceNotFoundException" and "actor" in fault.says.lower():
                raise _NothingThere from exc
            remedy = REMEDIES.get(fault.outcome, "Check memory.memory_id and memory.region")
            text = f"cannot {doing} {self.kept}: {fault.says}. {remedy}."
            raise (StoreUnavailable(text) if fault.passing else PermanentError(text)) from exc

    def _opened(self) -> tuple[Any, str]:
        with self._opening:
            if self._open is None:
                place = self._place
                client = new_client(
                    "bedrock-agentcore", place.region, place.endpoint_url, timeout_s=TIMEOUT_S, attempts=ATTEMPTS
                )
                self._open = (client, place.memory_id())
            return self._open


class _NothingThere(Exception):
    """Nobody has remembered anything yet: AWS knows no such actor."""


def _searchable(wanted: Wanted) -> bool:
    """Whether what was learned can fit: it is of no site, and is found by its meaning alone."""
    return bool(wanted.text) and wanted.site is None and wanted.kind in {None, MemoryKind.LEARNED}


def _filter(wanted: Wanted) -> dict[str, Any]:
    given = {"kind": wanted.kind.value if wanted.kind else None, "site": wanted.site}
    expressions = [
        {
            "left": {"metadataKey": key},
            "operator": "EQUALS_TO",
            "right": {"metadataValue": {"stringValue": value}},
        }
        for key, value in given.items()
        if value is not None
    ]
    return {"filter": {"eventMetadata": expressions}} if expressions else {}


def _memory_of(event: Any) -> Memory:
    blobs = [part["blob"] for part in event.get("payload", ()) if "blob" in part]
    if not blobs:
        raise DocumentInvalid("an event without a document, as others' agents write them")
    return parse_memory(json.loads(blobs[0]) if isinstance(blobs[0], str) else blobs[0])


def _learned_memory(record: Any, metro: str) -> Memory:
    at_ms = int(record["createdAt"].timestamp() * 1000)
    return Memory(record["memoryRecordId"], MemoryKind.LEARNED, at_ms, metro, record["content"].get("text", ""))


def _day(ms: int | None) -> str | None:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y%m%d}" if ms else None
