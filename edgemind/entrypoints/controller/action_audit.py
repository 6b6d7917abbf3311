"""Everything that the fleet API is asked to change goes into the audit journal: what, by whom, and what came of it."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request

from edgemind.domain.audit.entries import AuditEntry, EntryKind
from edgemind.entrypoints.controller.access import Caller, Role
from edgemind.entrypoints.controller.answers import ApiRefusal
from edgemind.services.site_controller import SiteController

BODY_LIMIT_BYTES = 4096
UNTOLD = frozenset({"/audit/erase"})
"""Its body names who wants to be forgotten."""


def action_audit(
    controller: Callable[[], SiteController], shown: Callable[[object], object] = lambda body: body
) -> Callable[[Request], AsyncIterator[None]]:
    """A dependency of every route that changes something; it runs around the route itself. `shown` is what of a body
    may be kept: no secret."""

    async def audited(request: Request) -> AsyncIterator[None]:
        asked = await _asked(request, shown)
        try:
            yield
        except Exception as exc:
            why = f"refused: {exc.code}" if isinstance(exc, ApiRefusal) else f"failed: {type(exc).__name__}"
            _record(controller(), request, asked, why)
            raise
        _record(controller(), request, asked, "done")

    return audited


def joining(body: object) -> object:
    """Of a request to join: who wants to, and not the token."""
    declaration = body.get("declaration") if isinstance(body, dict) else None
    return {"site": declaration.get("name") if isinstance(declaration, dict) else None}


def _record(controller: SiteController, request: Request, asked: dict[str, Any], outcome: str) -> None:
    caller = getattr(request.state, "caller", Caller(Role.VIEWER, name="a join token"))
    role = "site" if caller.site else caller.role.name.lower()
    body = {**asked, "role": role, "by": caller.name, "outcome": outcome}
    site = controller.own.site.name
    controller.audit.record(AuditEntry(EntryKind.ADMIN_ACTION, controller.wall_ms(), site, body))


async def _asked(request: Request, shown: Callable[[object], object]) -> dict[str, Any]:
    """The route with its parameters. Tokens of roles are in a header, which is not looked at."""
    path = request.url.path.removeprefix("/edgemind/v1")
    asked: dict[str, Any] = {"action": f"{request.method} {path}"}
    if request.query_params:
        asked["query"] = dict(request.query_params)
    body = await request.body()
    if body:
        asked["body"] = "(not told)" if path in UNTOLD else shown(_readable(body))
    return asked


def _readable(body: bytes) -> object:
    if len(body) > BODY_LIMIT_BYTES:
        return f"{len(body)} bytes"
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return f"{len(body)} bytes that are no JSON"
