"""The fleet API's stream of agents' tool calls."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query

from edgemind.domain.agent_calls import AgentCallPage
from edgemind.domain.decision_ids import parse_cursor
from edgemind.domain.swarm.vote_documents import FENCE_PATTERN
from edgemind.domain.wire import DocumentInvalid
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.services.site_controller import SiteController

PAGE_LIMIT = 200


class AgentRoutes:
    """`controller` is asked for at each request: a reload may have replaced it."""

    def __init__(self, controller: Callable[[], SiteController]) -> None:
        self._controller = controller

    def add(self, verbs: Verbs) -> None:
        verbs.get("/agent-calls", self.calls, response_model=AgentCallPage)

    async def calls(
        self,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Calls on one page.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
        fence: Annotated[
            str | None, Query(pattern=FENCE_PATTERN, description="Of this round only, such as `1.17`.")
        ] = None,
        scope: Annotated[str, Query(pattern="^(fleet|site)$", description="The whole fleet, or this site.")] = "fleet",
    ) -> AgentCallPage:
        """Tool calls of the sites' agents, newest first. Each controller keeps its newest thousand."""
        try:
            before = parse_cursor(cursor) if cursor else None
        except DocumentInvalid as exc:
            raise ApiRefusal(400, "invalid_request_error", "invalid_cursor", str(exc), "cursor") from exc
        finder = self._controller().calls
        if scope == "site":
            return finder.own_page(limit, before, fence)
        return await finder.fleet_page(limit, before, fence)
