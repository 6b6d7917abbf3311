"""The fleet API's memories: what happened, found again, and what an operator wants remembered or logged."""

from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from edgemind.domain.agent_memory import QUERY_LIMIT, RECALL_LIMIT, MemoryKind, Recollection, Wanted
from edgemind.domain.swarm.vote_documents import FENCE_PATTERN
from edgemind.domain.wire import LONG_TEXT_LIMIT
from edgemind.entrypoints.controller.access import Caller
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.errors import PermanentError, TemporaryError
from edgemind.services.keep_memories import MemoryKeeper
from edgemind.services.take_notes import Logged, NoteTaker, Remembered


class ToRemember(BaseModel):
    """What to remember. An activation or an outcome belongs to a round."""

    text: str = Field(min_length=1, max_length=LONG_TEXT_LIMIT, description="What happened, in words.")
    kind: MemoryKind = Field(default=MemoryKind.NOTE, description="What it is; `learned` is refused.")
    fence: str | None = Field(default=None, pattern=FENCE_PATTERN, description="The round that it belongs to.")


class ToLog(BaseModel):
    """What to log as an admin action, with the caller's role."""

    event: str = Field(min_length=1, max_length=LONG_TEXT_LIMIT, description="What happened; no secrets, no prompts.")
    fence: str | None = Field(default=None, pattern=FENCE_PATTERN, description="The round that it belongs to.")


class MemoryRoutes:
    """Over the memory and the journal of the controller's process; a reload changes neither."""

    def __init__(self, keeper: MemoryKeeper, notes: NoteTaker) -> None:
        self._keeper = keeper
        self._notes = notes

    def add(self, verbs: Verbs) -> None:
        verbs.get("/memories", self.recall, response_model=Recollection)
        verbs.post("/memories", self.remember, response_model=Remembered, status_code=202)
        verbs.post("/events", self.log, response_model=Logged, status_code=202)

    async def recall(
        self,
        text: Annotated[str, Query(max_length=QUERY_LIMIT, description="Words to look for.")] = "",
        kind: Annotated[MemoryKind | None, Query(description="Of this kind only.")] = None,
        site: Annotated[str | None, Query(max_length=63, description="Of this site only.")] = None,
        since_ms: Annotated[int, Query(ge=0, description="Not before, in wall time.")] = 0,
        until_ms: Annotated[int | None, Query(ge=0, description="Before this, in wall time.")] = None,
        limit: Annotated[int, Query(ge=1, le=RECALL_LIMIT, description="Memories at most.")] = 20,
    ) -> Recollection:
        """What is remembered of rounds and advice: the best match first, without a text the newest."""
        try:
            return await self._keeper.recall(Wanted(text, kind, site, since_ms, until_ms, limit))
        except TemporaryError as exc:
            raise ApiRefusal(503, "api_error", "memory_unavailable", str(exc)) from exc
        except PermanentError as exc:
            raise ApiRefusal(409, "api_error", "memory_refused", str(exc)) from exc

    async def remember(self, request: Request, note: ToRemember) -> Remembered:
        """Remember something at this controller's site. It is kept a moment later."""
        try:
            return self._notes.remember(note.text, note.kind, note.fence, _name(request))
        except PermanentError as exc:
            raise ApiRefusal(409, "invalid_request_error", "cannot_remember", str(exc), "kind") from exc

    async def log(self, request: Request, event: ToLog) -> Logged:
        """Log something in the audit journal of this controller's site, as an admin action."""
        try:
            return self._notes.log(event.event, event.fence, _name(request))
        except PermanentError as exc:
            raise ApiRefusal(409, "invalid_request_error", "no_journal", str(exc)) from exc


def _name(request: Request) -> str:
    """Tokens are of roles, not of people."""
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return "another site" if caller.site else caller.role.name.lower()
