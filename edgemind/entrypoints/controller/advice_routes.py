"""The fleet API's advice: what is proposed, what is in force, and an operator's decisions about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Path, Query, Request
from starlette.responses import Response

from edgemind.domain.advice.changes import KEPT, AdviceBook, PolicyChange
from edgemind.domain.advice.documents import change_document
from edgemind.domain.advice.guard_rails import Proposal, ProposalRefused
from edgemind.domain.advice.lifecycle import NoSuchChange, StepRefused
from edgemind.domain.advice.overlay import values_in_force
from edgemind.domain.advice.settings import ADVISABLE, PolicyValues
from edgemind.entrypoints.controller.access import Caller
from edgemind.entrypoints.controller.advice_shapes import AdvicePage, AdviceProposal, ChangeShape, PauseAnswer
from edgemind.entrypoints.controller.answers import ApiRefusal, json_response
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.errors import StateCorrupt, TemporaryError
from edgemind.ports.clock import Clock
from edgemind.services.advice.manage_advice import ManageAdvice, NotJudged, TooManyProposals

_INVALID = "invalid_request_error"
ChangeId = Annotated[str, Path(description="Such as `adv-7`.", max_length=64)]
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class AdviceDesk:
    """Who takes proposals, what this controller's file says, and what time it is."""

    advice: ManageAdvice
    standing: Callable[[], PolicyValues]
    clock: Clock


class AdviceRoutes:
    """`desk` is asked for at each request."""

    def __init__(self, desk: Callable[[], AdviceDesk]) -> None:
        self._desk = desk

    def add(self, verbs: Verbs) -> None:
        verbs.get("/advice", self.page, response_model=AdvicePage)
        verbs.get("/advice/{change_id}", self.one, response_model=ChangeShape)
        verbs.post_advisor("/advice", self.propose, response_model=ChangeShape, status_code=201)
        verbs.post("/advice/pause", self.pause, response_model=PauseAnswer)
        verbs.post("/advice/resume", self.resume, response_model=PauseAnswer)
        for verb, endpoint in (("accept", self.accept), ("reject", self.reject), ("rollback", self.roll_back)):
            verbs.post(f"/advice/{{change_id}}/{verb}", endpoint, response_model=ChangeShape)

    async def page(
        self,
        limit: Annotated[int, Query(ge=1, le=KEPT, description="Changes on one page.")] = 20,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=20)] = None,
    ) -> Response:
        """What advice may change, what is in force, and the changes that were proposed, newest first."""
        before = _number(cursor) if cursor else None
        book = await _answered(self._desk().advice.book())
        older = [one for one in book.changes if before is None or one.number < before]
        shown = older[:limit]
        policy, now_ms = book.policy, self._desk().clock.wall_ms()
        standing = policy.at(now_ms)
        return json_response(
            {
                "version": book.version,
                "paused": book.paused,
                "in_force": standing.id if standing else None,
                "settings": self._settings(book, now_ms),
                "changes": [self._document(one) for one in shown],
                "next_cursor": str(shown[-1].number) if len(older) > limit else None,
            }
        )

    async def one(self, change_id: ChangeId) -> Response:
        """One change."""
        book = await _answered(self._desk().advice.book())
        change = book.find(change_id)
        if change is None:
            raise _not_found(f"no change is called {change_id!r}: the newest {KEPT} are kept")
        return json_response(self._document(change))

    async def propose(self, request: Request, proposal: AdviceProposal) -> Response:
        """Propose a change; it is judged at once by a replay of recent rounds. The advisor role may do this."""
        values = {one.field: one.to for one in proposal.changes}
        if len(values) < len(proposal.changes):
            raise ApiRefusal(400, _INVALID, "guard_rails", "changes: a setting is named twice", "changes")
        asked = Proposal(values, proposal.reason, proposal.for_s)
        return self._changed(await _answered(self._desk().advice.propose(asked, _who(request))), 201)

    async def accept(self, request: Request, change_id: ChangeId) -> Response:
        """Put a proposal in force, if a replay of the rounds that there are now shows no regression."""
        return self._changed(await _answered(self._desk().advice.accept(change_id, _who(request))))

    async def reject(self, request: Request, change_id: ChangeId) -> Response:
        """Turn a proposal down."""
        return self._changed(await _answered(self._desk().advice.reject(change_id, _who(request))))

    async def roll_back(self, request: Request, change_id: ChangeId) -> Response:
        """End the change in force: every controller goes back to what its file says within about a second."""
        return self._changed(await _answered(self._desk().advice.roll_back(change_id, _who(request))))

    async def pause(self, request: Request) -> PauseAnswer:
        """Nothing is proposed or accepted any more, and what is in force is not followed until this is resumed."""
        return _switch(await _answered(self._desk().advice.pause(_who(request))))

    async def resume(self, request: Request) -> PauseAnswer:
        """Take proposals again, and follow what is in force if it has not expired."""
        return _switch(await _answered(self._desk().advice.resume(_who(request))))

    def _settings(self, book: AdviceBook, now_ms: int) -> list[dict[str, Any]]:
        standing = self._desk().standing()
        values = values_in_force(standing, book.policy, now_ms)
        rows = []
        for path, setting in ADVISABLE.items():
            low, high = setting.reach(standing.value(path))
            rows.append(
                {
                    "field": path,
                    "standing": standing.value(path),
                    "value": values[path],
                    "low": low,
                    "high": high,
                    "unit": setting.unit,
                    "meaning": setting.meaning,
                    "whole": setting.whole,
                }
            )
        return rows

    def _changed(self, change: PolicyChange, status: int = 200) -> Response:
        return json_response(self._document(change), status)

    def _document(self, change: PolicyChange) -> dict[str, Any]:
        return change_document(change, change.state_at(self._desk().clock.wall_ms()))


def _who(request: Request) -> str:
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return "site" if caller.site else caller.role.name.lower()


def _switch(book: AdviceBook) -> PauseAnswer:
    return PauseAnswer(version=book.version, paused=book.paused)


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit()):
        raise ApiRefusal(400, _INVALID, "invalid_cursor", "a cursor is `next_cursor` of the page before", "cursor")
    return int(cursor)


def _not_found(message: str) -> ApiRefusal:
    return ApiRefusal(404, _INVALID, "change_not_found", message, "change_id")


async def _answered(asked: Awaitable[_Answer]) -> _Answer:
    """What cannot be done is said as the API says it."""
    try:
        return await asked
    except ProposalRefused as exc:
        raise ApiRefusal(400, _INVALID, "guard_rails", str(exc), next(iter(exc.findings))) from exc
    except NoSuchChange as exc:
        raise _not_found(str(exc)) from exc
    except StepRefused as exc:
        raise ApiRefusal(409, _INVALID, "advice_unchanged", str(exc)) from exc
    except TooManyProposals as exc:
        raise ApiRefusal(429, "rate_limit_error", "too_many_proposals", str(exc)) from exc
    except NotJudged as exc:
        raise ApiRefusal(503, "api_error", "not_judged", str(exc)) from exc
    except StateCorrupt as exc:
        raise ApiRefusal(500, "api_error", "store_damaged", str(exc)) from exc
    except TemporaryError as exc:
        raise ApiRefusal(503, "api_error", "store_unavailable", str(exc)) from exc
