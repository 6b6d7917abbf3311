"""The controller's ASGI application, and its OpenAPI document without a controller behind it."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from edgemind.entrypoints.controller.about_routes import AboutRoutes
from edgemind.entrypoints.controller.access import AccessRules
from edgemind.entrypoints.controller.advice_routes import AdviceRoutes
from edgemind.entrypoints.controller.agent_routes import AgentRoutes
from edgemind.entrypoints.controller.audit_routes import AuditRoutes
from edgemind.entrypoints.controller.fleet_routes import FleetRoutes
from edgemind.entrypoints.controller.member_routes import MetroDoor
from edgemind.entrypoints.controller.memory_routes import MemoryRoutes
from edgemind.entrypoints.controller.operations_routes import OperationsRoutes
from edgemind.entrypoints.controller.route_sets import RouteSet
from edgemind.entrypoints.controller.site_routes import SiteRoutes
from edgemind.services.site_controller import SiteController


def controller_app(
    controller: Callable[[], SiteController],
    access: Callable[[], AccessRules],
    door: MetroDoor | None = None,
    route_sets: Sequence[RouteSet] = (),
    bare: Sequence[Route] = (),
) -> Starlette:
    """The first two are asked for at each request: a reload may have replaced them. `bare` is no part of the API.

    The bare routes come first: they are posted to thirty times a second, the fleet API is asked now and then.
    """
    site_routes = SiteRoutes(controller, access)
    fleet_routes = FleetRoutes(controller, access, door, route_sets)
    return Starlette(routes=[*site_routes.routes(), *bare, Mount("/", fleet_routes.app())])


def openapi_document() -> dict[str, Any]:
    """What every controller serves at /edgemind/v1/openapi.json."""

    def nobody() -> Any:
        raise RuntimeError("the document is made without a controller")

    absent: Any = None
    # Each set of routes that a controller's process adds stands here, too.
    route_sets: Sequence[RouteSet] = (
        AdviceRoutes(nobody),
        OperationsRoutes(nobody),
        AgentRoutes(nobody),
        AboutRoutes(nobody),
        MemoryRoutes(absent, absent),
        AuditRoutes(nobody),
    )
    return FleetRoutes(nobody, nobody, None, route_sets).app().openapi()
