"""How the sites are: measured by their gateways and controllers, seen from the controller that is asked."""

from enum import StrEnum

from pydantic import BaseModel, Field

from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.membership import SERVING, SiteState
from edgemind.domain.swarm.breach import Measures
from edgemind.domain.thresholds import Thresholds
from edgemind.services.rounds.watch_thresholds import measures_from
from mcp_tools.arguments import After, Local, OneModel, PageLimit, SiteName, SomeSites
from mcp_tools.calls import Call
from mcp_tools.tools import ResourceSpec, ServerSpec, ToolSpec

BEACON_OLD_MS = 1000.0
COMPARED = ("latency_ms", "queue_depth", "occupancy_ratio", "cpu_ratio", "gpu_ratio")
"""Thresholds that a value is compared with; the others say how many samples confirm a breach."""
DOWN = frozenset({SiteState.SUSPECTED, SiteState.GONE})


class SiteMetrics(BaseModel):
    site: SiteStatus


class Load(BaseModel):
    """A site's load with one model, as voters see it: `demand` is requests under way and waiting there."""

    slots: int = Field(description="Of all replicas.")
    demand: float
    replicas: int
    up: bool
    max_replicas: int = Field(description="1: it cannot be scaled.")


class FleetMetrics(BaseModel):
    metro: str
    asked: str = Field(description="The site whose controller answered: distances and ages are as seen from there.")
    requests_per_s: float | None = None
    sites: list[SiteStatus] = Field(default=[], description="By name; none if only a model's loads were asked for.")
    left_off: int = Field(default=0, description="Sites behind the last one shown.")
    next_after: str | None = None
    model: str | None = Field(default=None, description="The model that was asked for.")
    loads: dict[str, Load] = Field(default={}, description="With that model, by site that holds it.")


class Check(BaseModel):
    name: str
    measured: float
    threshold: float
    breached: bool


class ModelChecks(BaseModel):
    model: str
    breached: bool
    checks: list[Check]


class ThresholdReport(BaseModel):
    """One sample. A breach is confirmed by `breaches` of the last `samples` of the site itself."""

    site: str
    breached: bool
    models: list[ModelChecks]
    unmeasured: list[str] = Field(description="Thresholds that are compared with nothing here.")
    thresholds_from: str = Field(description="configuration, or defaults where the fleet's own are not known.")


class Health(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class SiteHealth(BaseModel):
    site: str
    state: SiteState
    health: Health
    findings: list[str] = Field(description="What is wrong, a line each; empty if nothing is.")


async def get_site_metrics(call: Call, site: SiteName) -> SiteMetrics:
    """One site: state, models with slots and measured service time, gateway counters, added latency, table age."""
    return SiteMetrics(site=await call.fleet.site(site))


async def get_fleet_metrics(
    call: Call,
    model: OneModel = None,
    sites: SomeSites = None,
    local: Local = False,
    limit: PageLimit = 50,
    after: After = None,
) -> FleetMetrics:
    """The sites of the metro with state, load, gateway counters and distance from the site that was asked."""
    fleet = await call.fleet.fleet(local)
    if model is not None:
        found = await call.fleet.loads(model)
        loads = {
            name: Load(
                slots=load.slots,
                demand=load.demand,
                replicas=load.replicas,
                up=load.up,
                max_replicas=load.max_replicas,
            )
            for name, load in sorted(found.items())
            if sites is None or name in sites
        }
        return FleetMetrics(metro=fleet.metro, asked=fleet.asked, model=model, loads=loads)
    wanted = [site for site in fleet.sites if sites is None or site.name in sites]
    behind = [site for site in sorted(wanted, key=lambda one: one.name) if after is None or site.name > after]
    shown = behind[:limit]
    return FleetMetrics(
        metro=fleet.metro,
        asked=fleet.asked,
        requests_per_s=fleet.requests_per_s,
        sites=shown,
        left_off=len(behind) - len(shown),
        next_after=shown[-1].name if len(behind) > len(shown) else None,
    )


async def check_thresholds(call: Call, site: SiteName) -> ThresholdReport:
    """A site's measured values, model by model, against the thresholds whose breach starts a round. One look."""
    status = await call.fleet.site(site)
    thresholds = call.fleet.thresholds or Thresholds()
    busy = {one.model: (one.in_flight, one.slots) for one in status.models}
    measured = measures_from(busy, status.gateway.counters.added_ms_p50 if status.gateway else None)
    models = [_checked(model, measures, thresholds) for model, measures in sorted(measured.items())]
    compared = {check.name for one in models for check in one.checks}
    return ThresholdReport(
        site=site,
        breached=any(one.breached for one in models),
        models=models,
        unmeasured=[name for name in COMPARED if name not in compared],
        thresholds_from="configuration" if call.fleet.thresholds else "defaults",
    )


async def get_site_health(call: Call, site: SiteName) -> SiteHealth:
    """Whether a site serves: ok, degraded or down, and what is wrong with it."""
    status = await call.fleet.site(site)
    down = status.state in DOWN or not any(one.ready for one in status.models)
    findings = [finding for wrong, finding in _findings(status) if wrong]
    health = Health.DOWN if down else Health.DEGRADED if findings else Health.OK
    return SiteHealth(site=site, state=status.state, health=health, findings=findings)


async def fleet_metrics(call: Call) -> FleetMetrics:
    """The metro as `get_fleet_metrics` shows it, its first 200 sites."""
    return await get_fleet_metrics(call, limit=200)


async def site_metrics(call: Call, name: str) -> SiteMetrics:
    """One site as `get_site_metrics` shows it."""
    return SiteMetrics(site=await call.fleet.site(name))


def _checked(model: str, measures: Measures, thresholds: Thresholds) -> ModelChecks:
    checks = [
        Check(name=name, measured=value, threshold=limit, breached=value > limit)
        for name, value in sorted(measures.items())
        for limit in (float(getattr(thresholds, name)),)
    ]
    return ModelChecks(model=model, breached=any(check.breached for check in checks), checks=checks)


def _findings(status: SiteStatus) -> list[tuple[bool, str]]:
    store = status.store
    unready = [one.model for one in status.models if not one.ready]
    old = status.beacon_age_ms is not None and status.beacon_age_ms > BEACON_OLD_MS
    return [
        (status.state not in SERVING, f"its state is {status.state}"),
        (old, f"its last beacon is {status.beacon_age_ms} ms old"),
        (not status.models, "it holds no model"),
        (bool(unready), f"not ready: {', '.join(unready)}"),
        (status.state is SiteState.ALIVE and status.gateway is None, "no gateway worker of it reports"),
        (store is not None and not store.ok, f"its state store: {store.last_error if store else None}"),
    ]


SERVER = ServerSpec(
    "metrics_monitor",
    "How the sites of an EdgeMind fleet are, as measured now. Everything here only reads.",
    [ToolSpec(get_site_metrics), ToolSpec(get_fleet_metrics), ToolSpec(check_thresholds), ToolSpec(get_site_health)],
    [ResourceSpec("edgemind://fleet", fleet_metrics), ResourceSpec("edgemind://sites/{name}", site_metrics)],
)
