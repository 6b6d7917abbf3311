"""The fleet API's part about the site's own audit journal: how it gets along, and erasing a subject."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, Field
from starlette.requests import Request

from edgemind.domain.audit.chain import RecordDamaged
from edgemind.domain.audit.status import AuditStatus
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.entrypoints.controller.route_sets import Verbs
from edgemind.errors import PermanentError, TemporaryError
from edgemind.services.site_controller import SiteController


class ErasureRequest(BaseModel):
    """A subject's key, as `edgemind audit erase` makes it."""

    subject: str = Field(pattern=r"^((tenant|operator):[^/]+|session:[0-9a-f]{32})$", max_length=256)


@dataclass(frozen=True, slots=True)
class ErasureAnswer:
    """`records` of the site's journal lost the part that concerned the subject."""

    site: str
    records: int


class AuditRoutes:
    """`controller` is asked for at each request: a reload may have replaced it."""

    def __init__(self, controller: Callable[[], SiteController]) -> None:
        self._controller = controller

    def add(self, verbs: Verbs) -> None:
        verbs.get("/audit", self.status, response_model=AuditStatus)
        verbs.post_admin("/audit/erase", self.erase, response_model=ErasureAnswer)

    async def status(self) -> AuditStatus:
        """How this site's audit journal gets along."""
        return self._controller().audit.status

    async def erase(self, request: Request, asked: ErasureRequest) -> ErasureAnswer:
        """Take everything that concerns a subject out of this site's journal, for good. The chain stays verifiable."""
        controller = self._controller()
        by = request.state.caller.name
        try:
            records = await asyncio.to_thread(controller.audit.erase, asked.subject, by)
        except TemporaryError as exc:
            message = f"not finished, and some of it may be erased: {exc}"
            raise ApiRefusal(503, "api_error", "journal_unavailable", message) from exc
        except RecordDamaged as exc:
            message = f"nothing was erased, for the journal is damaged: {exc}. `edgemind audit verify` tells where."
            raise ApiRefusal(500, "api_error", "journal_damaged", message) from exc
        except PermanentError as exc:
            raise ApiRefusal(500, "api_error", "journal_damaged", f"not everything was erased: {exc}") from exc
        return ErasureAnswer(controller.own.site.name, records)
