"""Real controllers in one process with something to tell, and the SDK's own client to ask them through tools."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mcp.client import Client
from mcp.types import CallToolResult

from edgemind.adapters.agent_memory.local import ProcessMemory
from edgemind.domain.agent_memory import Memory, Wanted
from edgemind.domain.audit.entries import AuditEntry
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.access import AccessRules, Role
from edgemind.entrypoints.controller.agent_routes import AgentRoutes
from edgemind.entrypoints.controller.application import controller_app
from edgemind.entrypoints.controller.memory_routes import MemoryRoutes
from edgemind.entrypoints.controller.route_sets import RouteSet
from edgemind.services.keep_memories import MemoryKeeper
from edgemind.services.take_notes import NoteTaker
from mcp_tools.calls import Session, one_caller
from mcp_tools.catalogue import SERVERS
from mcp_tools.chat import ChatClient
from mcp_tools.in_process import FleetInProcess, OwnRounds
from mcp_tools.source import FleetSource
from tests.support.controllers import Metro, decision_document, metro, report, site
from tests.support.round_records import AT_MS, SITES, round_record, strands_vote

DECISION = "dec-site-a-0-0123456789abcdef"
RULES = AccessRules({Role.VIEWER: "look", Role.OPERATOR: "act"}, "between-sites")
EXPLANATION = json.loads((Path(__file__).parent / "explanation.json").read_text(encoding="utf-8"))
T = TypeVar("T")


def telling_metro(rounds: int = 3) -> Metro:
    """Three sites with a controller and one without; reports, decisions, and rounds 1.1, 1.2 and so on."""
    group = Metro(metro(*(site(name) for name in SITES), site("theirs", controller=False)))
    # Today is after the rounds.
    group.clock.advance(AT_MS / 1000 + 60.0 - group.clock.wall_ms() / 1000)
    load = {"in_flight": 3, "slots": 4, "service_ms": 10.0, "arrivals_per_s": 20.0, "ready": True}
    stats = {"requests": 5, "ok": 4, "shed": 1, "added_ms_p50": 140.0, "added_ms_p99": 190.0}
    for name, controller in group.controllers.items():
        made = [decision_document(DECISION, 5), decision_document("dec-site-a-0-1", 4)] if name == "site-a" else []
        controller.gateways.answer(report(name, models={"detector": load}, stats=stats, decisions=made))
    group.admins["site-a"].explanations[0, DECISION] = EXPLANATION
    for number in range(1, rounds + 1):
        for name in SITES:
            kept = round_record(number, name, coordinator="site-b")
            changes: dict[str, Any] = {"votes": {name: strands_vote(kept, name)}}
            group.journals[name].keep(round_record(number, name, coordinator="site-b", **changes))
    group.rounds(2)
    return group


class Notes:
    """What site-a remembers, and its audit journal: a list."""

    def __init__(self, group: Metro, audited: bool = True) -> None:
        self.memory = ProcessMemory()
        self.entries: list[AuditEntry] = []
        self.keeper = MemoryKeeper(self.memory, "site-a")
        self.taker = NoteTaker("site-a", "test", self.keeper, lambda: self if audited else None, group.clock)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def kept(self) -> list[Memory]:
        """Everything, once what waited is kept: then nothing more is."""
        self.keeper.close(30.0)
        return self.memory.recall(Wanted(limit=100)).memories


def served_application(group: Metro, notes: Notes | None = None) -> Any:
    """The fleet API of site-a, with tokens `look` and `act`."""
    sets: list[RouteSet] = [AgentRoutes(lambda: group.controllers["site-a"])]
    sets += [] if notes is None else [MemoryRoutes(notes.keeper, notes.taker)]
    return controller_app(lambda: group.controllers["site-a"], lambda: RULES, None, sets)


def in_process(group: Metro, notes: Notes | None = None) -> FleetInProcess:
    kept = None if notes is None else (notes.keeper, notes.taker)
    rounds = OwnRounds(Thresholds(), 1234.5)
    return FleetInProcess(lambda: group.controllers["site-a"], lambda: rounds, group.clock, kept)


def viewer(fleet: FleetSource) -> Session:
    return Session(Role.VIEWER, fleet)


def operator(fleet: FleetSource, chat: ChatClient | None = None) -> Session:
    return Session(Role.OPERATOR, fleet, chat)


def with_client(server: str, session: Session, use: Callable[[Client], Awaitable[T]]) -> T:
    """What `use` makes of a connected client."""

    async def main() -> T:
        async with Client(SERVERS[server].build(one_caller(session))) as client:
            return await use(client)

    return asyncio.run(main())


def called(server: str, session: Session, tool: str, arguments: Mapping[str, object] | None = None) -> CallToolResult:
    return with_client(server, session, lambda client: client.call_tool(tool, dict(arguments or {})))


def told(server: str, session: Session, tool: str, **arguments: object) -> dict[str, Any]:
    """The structured result of a call that has to work; text and structure are one."""
    result = called(server, session, tool, arguments)
    assert not result.is_error, text_of(result)
    assert json.loads(text_of(result)) == result.structured_content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def refusal(server: str, session: Session, tool: str, **arguments: object) -> str:
    """What a call that has to fail says."""
    result = called(server, session, tool, arguments)
    assert result.is_error
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert content.type == "text"
    return content.text
