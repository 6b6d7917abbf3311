"""What is run where. Every tool that changes something can be asked first what it would do (`dry_run`)."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, Field

from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.entrypoints.controller.access import Role
from edgemind.errors import PermanentError
from mcp_tools.arguments import DryRun, IfNewest, ModelName, OneModel, OneSite, PageLimit, SiteName
from mcp_tools.calls import Call
from mcp_tools.fences import require_newest
from mcp_tools.tools import TIMEOUT_S, ServerSpec, ToolSpec

POLL_S = 0.5
WAIT_LIMIT_S = 300

WaitSeconds = Annotated[
    int, Field(ge=0, le=WAIT_LIMIT_S, description="Wait so long at most until nothing is under way there.")
]

Replicas = Annotated[int, Field(ge=2, le=1000, description="That shall run there.")]


class DrainReport(BaseModel):
    """`applied` is false for a dry run. `in_flight`: requests still under way at the site's models when it ended."""

    site: str
    draining: bool
    was: SiteState
    applied: bool
    in_flight: int


class ScaleReport(BaseModel):
    """The swarm is asked; what it decides is in get_swarm_state a moment later. `applied` is false for a dry run."""

    site: str
    model: str
    replicas: int = Field(description="That are wanted.")
    was: int = Field(description="Replicas that are ready now.")
    applied: bool


class Scaling(BaseModel):
    """`replicas` are ready, of `max_replicas` that the site can run; 1: it cannot scale this model."""

    site: str
    model: str
    replicas: int
    max_replicas: int
    slots: int
    in_flight: int
    ready: bool


class ScalingStatus(BaseModel):
    workloads: list[Scaling] = Field(description="By site and model.")
    left_off: int


async def get_scaling_status(
    call: Call, site: OneSite = None, model: OneModel = None, limit: PageLimit = 50
) -> ScalingStatus:
    """Replicas of each model at each site: how many are ready, how many there may be, and how busy they are."""
    sites = [await call.fleet.site(site)] if site is not None else (await call.fleet.fleet()).sites
    found = [
        Scaling(
            site=one.name,
            model=held.model,
            replicas=held.replicas,
            max_replicas=held.max_replicas,
            slots=held.slots,
            in_flight=held.in_flight,
            ready=held.ready,
        )
        for one in sorted(sites, key=lambda status: status.name)
        for held in one.models
        if model is None or held.model == model
    ]
    return ScalingStatus(workloads=found[:limit], left_off=max(0, len(found) - limit))


async def drain_site(
    call: Call,
    site: SiteName,
    draining: bool = True,
    dry_run: DryRun = False,
    fence: IfNewest = None,
    wait_s: WaitSeconds = 0,
) -> DrainReport:
    """Take a site out of service (its devices are served elsewhere), or with draining=false back. Needs operator."""
    await require_newest(call, fence)
    before = await call.fleet.site(site)
    in_flight = _in_flight(before)
    if not dry_run:
        await call.fleet.drain(site, draining)
        if draining and wait_s:
            in_flight = await _run_dry(call, site, wait_s)
    return DrainReport(site=site, draining=draining, was=before.state, applied=not dry_run, in_flight=in_flight)


async def scale_model(
    call: Call, model: ModelName, replicas: Replicas, dry_run: DryRun = False, fence: IfNewest = None
) -> ScaleReport:
    """Ask the swarm for so many replicas of a model at the asked controller's site. Needs operator.

    Its voters decide, and keep things as they are unless demand is worth it; what was decided is carried out behind
    the round's fence. Fewer replicas come by themselves.
    """
    await require_newest(call, fence)
    fleet = await call.fleet.fleet(local=True)
    site = next(one for one in fleet.sites if one.name == fleet.asked)
    held = next((one for one in site.models if one.model == model), None)
    if held is None:
        raise PermanentError(f"{site.name} does not hold {model!r}; list_models tells which sites do")
    if not held.replicas < replicas <= held.max_replicas:
        raise PermanentError(
            f"{site.name} runs {held.replicas} of at most {held.max_replicas} replicas of {model}: ask for more than "
            "it has, and for no more than it can run"
        )
    if not dry_run:
        await call.fleet.ask_swarm(model, replicas)
    return ScaleReport(site=site.name, model=model, replicas=replicas, was=held.replicas, applied=not dry_run)


async def _run_dry(call: Call, site: str, wait_s: int) -> int:
    """Requests still under way when none is left, or `wait_s` is over; tells how far it is at each look."""
    clock = asyncio.get_running_loop().time
    give_up_s = clock() + wait_s
    at_first = in_flight = _in_flight(await call.fleet.site(site))
    while in_flight and clock() < give_up_s:
        await call.progress(at_first - in_flight, at_first, f"{in_flight} requests are under way at {site}")
        await asyncio.sleep(POLL_S)
        in_flight = _in_flight(await call.fleet.site(site))
        # What the site had accepted shortly before may come on top: progress never goes back.
        at_first = max(at_first, in_flight)
    return in_flight


def _in_flight(status: SiteStatus) -> int:
    return sum(model.in_flight for model in status.models)


SERVER = ServerSpec(
    "container_ops",
    "What runs where in an EdgeMind fleet; takes sites out of service and back, and asks the swarm for replicas. "
    "Writes need the operator role: ask with dry_run=true first.",
    [
        ToolSpec(get_scaling_status),
        ToolSpec(scale_model, Role.OPERATOR, changes=True, idempotent=False),
        ToolSpec(drain_site, Role.OPERATOR, timeout_s=WAIT_LIMIT_S + TIMEOUT_S, changes=True),
    ],
)
