"""The fleet API: what the CLI, the dashboard and tools read, and its OpenAPI document."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query, Request, Security
from fastapi.security import HTTPBearer
from starlette.responses import Response

import edgemind
from edgemind.domain.decision_ids import parse_cursor
from edgemind.domain.fleet_status import (
    DecisionPage,
    DrainStatus,
    FleetStatus,
    ModelList,
    SiteList,
    SiteStatus,
    TableStatus,
)
from edgemind.domain.site_tokens import SITE_TOKEN_HEADER
from edgemind.domain.wire import DocumentInvalid
from edgemind.entrypoints.controller.access import AccessRules, Caller, Credentials, Role
from edgemind.entrypoints.controller.action_audit import action_audit, joining
from edgemind.entrypoints.controller.answers import ApiRefusal, ErrorBody, answer_errors, describe_truly, json_response
from edgemind.entrypoints.controller.explanation import DecisionExplanation
from edgemind.entrypoints.controller.member_routes import MemberRoutes, MetroDoor
from edgemind.entrypoints.controller.round_routes import RoundRoutes
from edgemind.entrypoints.controller.route_sets import Register, RouteSet, Verbs
from edgemind.entrypoints.controller.tls_identity import identities
from edgemind.errors import PermanentError, TemporaryError
from edgemind.services.site_controller import SiteController

PAGE_LIMIT = 500
_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorBody, "description": "Refused; the message says what to do."}
}
_bearer = HTTPBearer(auto_error=False, description="A token under `fleet.tokens` in edgemind.yaml.")
"""Documents the scheme in the OpenAPI document; `access.py` decides."""

SiteName = Annotated[str, Path(description="A site's name, such as `site-a`.")]


class FleetRoutes:
    """`controller` and `access` are asked for at each request: a reload may have replaced them."""

    def __init__(
        self,
        controller: Callable[[], SiteController],
        access: Callable[[], AccessRules],
        door: MetroDoor | None = None,
        route_sets: Sequence[RouteSet] = (),
    ) -> None:
        self._controller = controller
        self._access = access
        self._members = MemberRoutes(door)
        self._route_sets = (RoundRoutes(controller), *route_sets)

    def app(self) -> FastAPI:
        """An application of its own, so that the bare routes before it pay nothing for it."""
        app = FastAPI(
            title="EdgeMind fleet API",
            version=edgemind.__version__,
            description="Served by every controller of a metro. Times ending in `_ms` are milliseconds.",
            openapi_url="/edgemind/v1/openapi.json",
            docs_url=None,
            redoc_url=None,
        )
        self._add_routes(app)
        describe_truly(app)
        answer_errors(app)
        return app

    def _add_routes(self, app: FastAPI) -> None:
        def register(method: Callable[..., Any], least: Role) -> Register:
            def route(path: str, endpoint: Callable[..., Awaitable[object]], **more: Any) -> None:
                allowed = [Security(_bearer), Depends(self._allow(least))]
                if method == app.post:
                    allowed.append(Depends(action_audit(self._controller)))
                method(f"/edgemind/v1{path}", dependencies=allowed, responses=_ERRORS, **more)(endpoint)

            return route

        verbs = Verbs(
            register(app.get, Role.VIEWER),
            register(app.post, Role.ADVISOR),
            register(app.post, Role.OPERATOR),
            register(app.post, Role.ADMIN),
        )
        get, post, post_admin = verbs.get, verbs.post, verbs.post_admin
        get("/fleet", self.fleet, response_model=FleetStatus)
        get("/sites", self.sites, response_model=SiteList)
        get("/sites/{name}", self.site, response_model=SiteStatus)
        get("/models", self.models, response_model=ModelList)
        get("/table", self.table, response_model=TableStatus)
        get("/decisions", self.decisions, response_model=DecisionPage)
        get("/decisions/{decision_id}", self.decision, response_model=DecisionExplanation)
        for route_set in self._route_sets:
            route_set.add(verbs)
        for verb, endpoint in (("drain", self.drain), ("undrain", self.undrain)):
            post(f"/sites/{{name}}/{verb}", endpoint, response_model=DrainStatus)
        for verb, change in (("invite", self._members.invite), ("remove", self._members.remove)):
            post_admin(f"/sites/{{name}}/{verb}", change)
        # Its token says who asks.
        audited = [Depends(action_audit(self._controller, joining))]
        app.post("/edgemind/v1/join", responses=_ERRORS, dependencies=audited)(self._members.join)
        app.get("/edgemind/v1/healthz")(self.healthz)
        app.get("/healthz", include_in_schema=False)(self.healthz)

    def _allow(self, least: Role) -> Callable[[Request], Awaitable[None]]:
        async def check(request: Request) -> None:
            request.state.caller = self._access().allowed(credentials(request), least)

        return check

    async def healthz(self) -> dict[str, str | int]:
        """Live, whatever the state of the fleet; `at_ms` is its clock. Needs no token."""
        controller = self._controller()
        return {"status": "ok", "site": controller.own.site.name, "at_ms": controller.wall_ms()}

    async def fleet(self) -> FleetStatus:
        """The metro: every site with its state, load, gateway and table age."""
        return await self._controller().view.fleet()

    async def sites(self) -> SiteList:
        """Every site of the metro."""
        return await self._controller().view.sites()

    async def site(self, request: Request, name: SiteName) -> SiteStatus:
        """One site."""
        controller = self._controller()
        if _asked_by_site(request):
            _require_own(controller, name)
            return controller.own_status()
        status = await controller.view.site(name)
        if status is None:
            raise _no_such_site(controller, name)
        return status

    async def models(self) -> ModelList:
        """Every model, where it is held, and its load there."""
        return self._controller().view.models()

    async def table(self) -> TableStatus:
        """The routing table of this controller's site."""
        table = self._controller().view.table()
        if table is None:
            message = "there is no table yet: the neighbours have not been heard. Ask again in a second."
            raise ApiRefusal(404, "invalid_request_error", "no_table_yet", message)
        return table

    async def decisions(
        self,
        limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Decisions on one page.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
        scope: Annotated[str, Query(pattern="^(fleet|site)$", description="The whole fleet, or this site.")] = "fleet",
    ) -> DecisionPage:
        """Recent decisions, newest first. A busy gateway reports a sample; each can be explained by its id."""
        try:
            before = parse_cursor(cursor) if cursor else None
        except DocumentInvalid as exc:
            raise ApiRefusal(400, "invalid_request_error", "invalid_cursor", str(exc), "cursor") from exc
        finder = self._controller().decisions
        return finder.own_page(limit, before) if scope == "site" else await finder.fleet_page(limit, before)

    async def decision(self, request: Request, decision_id: str) -> Response:
        """Why one request ran where it ran: candidates with their cost terms, the runner-up, who was excluded."""
        finder = self._controller().decisions
        try:
            by_site = _asked_by_site(request)
            explanation = await (finder.explain_own(decision_id) if by_site else finder.explain(decision_id))
        except TemporaryError as exc:
            raise ApiRefusal(502, "api_error", "site_unreachable", f"it cannot be explained just now: {exc}") from exc
        except PermanentError as exc:
            raise ApiRefusal(502, "api_error", "site_refused", str(exc)) from exc
        if explanation is None:
            message = (
                f"no decision {decision_id!r} is kept. Ids look like dec-<site>-<worker>-<16 hex digits> and come in "
                "`x-request-id`; each gateway worker keeps its last few thousand, until it stops."
            )
            raise ApiRefusal(404, "invalid_request_error", "decision_not_found", message, "decision_id")
        return json_response(explanation)

    async def drain(self, request: Request, name: SiteName) -> DrainStatus:
        """Take a site out of service: its devices are served elsewhere, neighbours send it nothing."""
        return await self._drain(request, name, draining=True)

    async def undrain(self, request: Request, name: SiteName) -> DrainStatus:
        """Take a drained site back into service."""
        return await self._drain(request, name, draining=False)

    async def _drain(self, request: Request, name: str, *, draining: bool) -> DrainStatus:
        controller = self._controller()
        site = controller.neighbourhood.fleet.site(name)
        if name == controller.own.site.name:
            controller.drain_own(draining)
            return DrainStatus(name, draining)
        if _asked_by_site(request):
            _require_own(controller, name)
        if site is None:
            raise _no_such_site(controller, name)
        if site.controller_url is None:
            message = f"{name} has no controller, so nobody there can drain it: take it out of edgemind.yaml instead"
            raise ApiRefusal(409, "invalid_request_error", "no_controller", message, "name")
        try:
            await controller.links.peers.drain(name, draining)
        except (TemporaryError, PermanentError) as exc:
            raise ApiRefusal(502, "api_error", "site_unreachable", f"{name} cannot be told: {exc}") from exc
        return DrainStatus(name, draining)


def credentials(request: Request) -> Credentials:
    """What a request shows of its sender."""
    headers = request.headers
    # Where sites show certificates, the token alone makes none.
    site_token = headers.get(SITE_TOKEN_HEADER) if identities(request) != () else None
    return Credentials(
        authorization=headers.get("authorization"),
        site_token=site_token,
        client_host=request.client.host if request.client else None,
        host_header=headers.get("host"),
        forwarded="forwarded" in headers or "x-forwarded-for" in headers,
    )


def _asked_by_site(request: Request) -> bool:
    caller = request.state.caller
    return isinstance(caller, Caller) and caller.site


def _require_own(controller: SiteController, name: str) -> None:
    """Another controller asks about this site only: passed on, two that disagree about names would ask for ever."""
    if name != controller.own.site.name:
        message = f"this is the controller of {controller.own.site.name}, not of {name}: check `controller` addresses"
        raise ApiRefusal(409, "invalid_request_error", "wrong_site", message, "name")


def _no_such_site(controller: SiteController, name: str) -> ApiRefusal:
    names = ", ".join(site.name for site in controller.neighbourhood.fleet.sites[:20])
    return ApiRefusal(404, "invalid_request_error", "site_not_found", f"no site is called {name!r}; there are: {names}")
