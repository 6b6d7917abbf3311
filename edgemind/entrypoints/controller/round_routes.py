"""The fleet API's rounds: what the swarm decided, and everything that is known of one round."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from edgemind.domain.swarm.history_documents import record_document
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.domain.wire import DocumentInvalid
from edgemind.entrypoints.controller.access import Caller
from edgemind.entrypoints.controller.answers import ApiRefusal, json_response
from edgemind.entrypoints.controller.round_shapes import AskedRound, RoundAbout, RoundShape
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.errors import PermanentError
from edgemind.ports.round_journal import RECORDS_KEPT
from edgemind.services.site_controller import SiteController

PAGE_LIMIT = 100


class RoundRoutes:
    """`controller` is asked for at each request: a reload may have replaced it."""

    def __init__(self, controller: Callable[[], SiteController]) -> None:
        self._controller = controller

    def add(self, verbs: Verbs) -> None:
        verbs.get("/rounds", self.rounds, response_model=RoundPage)
        verbs.get("/rounds/{fence}", self.round, response_model=RoundShape)
        verbs.post("/rounds", self.ask, response_model=AskedRound, status_code=202)

    async def rounds(
        self,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Rounds on one page.")] = 20,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
        scope: Annotated[str, Query(pattern="^(fleet|site)$", description="The whole fleet, or this site.")] = "fleet",
    ) -> RoundPage:
        """The swarm's rounds, newest first, each as its coordinator tells it."""
        before = _fence(cursor, "invalid_cursor", "cursor") if cursor else None
        finder = self._controller().rounds
        return finder.own_page(limit, before) if scope == "site" else await finder.fleet_page(limit, before)

    async def ask(self, about: RoundAbout) -> AskedRound:
        """Ask the swarm about a model of this site without a breach. While a round is under way nothing follows."""
        controller = self._controller()
        try:
            if about.replicas is None:
                controller.on_asked(about.model)
            else:
                controller.on_replicas_asked(about.model, about.replicas)
        except PermanentError as exc:
            raise ApiRefusal(409, "invalid_request_error", "cannot_ask", str(exc), "model") from exc
        return AskedRound(site=controller.own.site.name, model=about.model)

    async def round(
        self, request: Request, fence: Annotated[str, Path(description="Epoch and number, such as `1.17`.")]
    ) -> Response:
        """One round: what breached, candidates, ballots, tally, quorum, votes with their views, steps and effects."""
        asked = _fence(fence, "invalid_fence", "fence")
        finder = self._controller().rounds
        caller = request.state.caller
        record, unreachable = (
            (finder.own_round(asked), []) if isinstance(caller, Caller) and caller.site else await finder.round(asked)
        )
        if record is None:
            raise _not_found(fence, unreachable)
        document: dict[str, Any] = {**record_document(record), "unreachable": unreachable}
        return json_response(document)


def _fence(text: str, code: str, param: str) -> Fence:
    try:
        return fence_from_text(text)
    except DocumentInvalid as exc:
        raise ApiRefusal(400, "invalid_request_error", code, str(exc), param) from exc


def _not_found(fence: str, unreachable: list[str]) -> ApiRefusal:
    asked = f"; {', '.join(unreachable)} could not be asked" if unreachable else ""
    message = f"no round {fence} is kept: each controller keeps its newest {RECORDS_KEPT}{asked}"
    return ApiRefusal(404, "invalid_request_error", "round_not_found", message, "fence")
