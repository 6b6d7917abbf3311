"""What a controller's process has for agents: a memory, the stream of their calls, and who hears of decided rounds."""

import asyncio
from collections.abc import Callable

from edgemind import bootstrap
from edgemind.domain.agent_memory import MemoryKind
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.votes import ToolCall
from edgemind.domain.wire import LONG_TEXT_LIMIT
from edgemind.entrypoints.controller.agent_routes import AgentRoutes
from edgemind.entrypoints.controller.memory_routes import MemoryRoutes
from edgemind.entrypoints.controller.route_sets import RouteSet
from edgemind.ports.audit_journal import AuditJournal
from edgemind.ports.clock import Clock
from edgemind.services.keep_memories import MemoryKeeper
from edgemind.services.rounds.round_history import RoundHistory
from edgemind.services.site_controller import SiteController
from edgemind.services.take_notes import NoteTaker
from edgemind.settings import Settings


class AgentsPart:
    """Lasts as long as the process, through every reload. Agents that run beside it call `note`, and may put somebody
    of their own in the place of `tell_round`: whoever does hears of each round when it is over."""

    def __init__(
        self,
        settings: Settings,
        controller: Callable[[], SiteController],
        history: RoundHistory,
        audit: Callable[[], AuditJournal | None],
        clock: Clock,
    ) -> None:
        self._controller = controller
        site = controller().own.site.name
        self.memories = MemoryKeeper(bootstrap.open_agent_memory(settings, site), site)
        self.notes = NoteTaker(site, settings.metro, self.memories, audit, clock)
        self.tell_round: Callable[[RoundRecord], None] = self.memories.round_over
        history.told.append(self._tell)

    def route_sets(self) -> list[RouteSet]:
        return [AgentRoutes(self._controller), MemoryRoutes(self.memories, self.notes)]

    def note(self, call: ToolCall, fence: str | None) -> None:
        """A call that an agent of this site made, for a round if there is a fence."""
        self._controller().agent_calls.note(call, fence)

    def advice_accepted(self, text: str) -> None:
        self.notes.remember(text[:LONG_TEXT_LIMIT], MemoryKind.ADVICE, None, "advice")

    def _tell(self, record: RoundRecord) -> None:
        self.tell_round(record)

    async def close(self) -> None:
        await asyncio.to_thread(self.memories.close)
