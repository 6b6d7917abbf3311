"""How the sites are: measured by their gateways and controllers, seen from the controller that is asked."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, Field

from edgemind.domain.fleet_status import SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.thresholds import Thresholds
from mcp_tools.arguments import After, Local, OneModel, PageLimit, SiteName, SomeSites
from mcp_tools.calls import Call
from mcp_tools.tools import ResourceSpec, ServerSpec, ToolSpec

BEACON_OLD_MS = 1000.0
DOWN = frozenset({SiteState.SUSPECTED, SiteState.GONE})


class SiteMetrics(BaseModel):
    site: SiteStatus


class Load(BaseModel):
    """A site's load with one model: `slots` of all `replicas`, `demand` requests under way and waiting there."""

    slots: int
    demand: float
    replicas: int
    up: bool


class FleetMetrics(BaseModel):
    metro: str
    asked: str = Field(description="The site whose controller answered: distances and ages are as seen from there.")
    requests_per_s: float | None = None
    sites: list[SiteStatus] = Field(default=[], description="By name; none if only a model's loads were asked for.")
    left_off: int = Field(default=0, description="Sites behind the last one shown.")
    next_after: str | None = None
    model: str | None = Field(default=None, description="The model that was asked for.")
    loads: dict[str, Load] = Field(default={}, description="With that model, by site.")


class Check(BaseModel):
    """`measured` is null where nobody measures it."""

    name: str
    measured: float | None
    threshold: float
    breached: bool


class ThresholdReport(BaseModel):
    site: str
    breached: bool
    checks: list[Check]
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
    wanted = [site for site in fleet.sites if sites is None or site.name in sites]
    if model is not None:
        loads = {site.name: _load(site, model) for site in wanted}
        return FleetMetrics(metro=fleet.metro, asked=fleet.asked, model=model, loads=loads)
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
    """A site's last measured values against the thresholds whose breach starts a round. One look, no window."""
    status = await call.fleet.site(site)
    known = call.fleet.thresholds
    checks = [
        Check(name=name, measured=measured, threshold=threshold, breached=measured is not None and measured > threshold)
        for name, measured, threshold in _compared(status, known or Thresholds())
    ]
    return ThresholdReport(
        site=site,
        breached=any(check.breached for check in checks),
        checks=checks,
        thresholds_from="configuration" if known else "defaults",
    )


async def get_site_health(call: Call, site: SiteName) -> SiteHealth:
    """Whether a site serves: ok, degraded or down, and what is wrong with it."""
    status = await call.fleet.site(site)
    down = status.state in DOWN or not any(one.ready for one in status.models)
    findings = [finding for wrong, finding in _findings(status) if wrong]
    health = Health.DOWN if down else Health.DEGRADED if findings else Health.OK
    return SiteHealth(site=site, state=status.state, health=health, findings=findings)


def _load(status: SiteStatus, model: str) -> Load:
    """A site that does not hold the model has no slots."""
    held = [one for one in status.models if one.model == model]
    slots, demand = sum(one.slots for one in held), sum(one.in_flight for one in held)
    return Load(slots=slots, demand=demand, replicas=len(held), up=status.state not in DOWN)


async def fleet_metrics(call: Call) -> FleetMetrics:
    """The metro as `get_fleet_metrics` shows it, its first 200 sites."""
    return await get_fleet_metrics(call, limit=200)


async def site_metrics(call: Call, name: str) -> SiteMetrics:
    """One site as `get_site_metrics` shows it."""
    return SiteMetrics(site=await call.fleet.site(name))


def _compared(status: SiteStatus, thresholds: Thresholds) -> Sequence[tuple[str, float | None, float]]:
    added_ms = status.gateway.counters.added_ms_p99 if status.gateway else None
    waiting = sum(max(0, one.in_flight - one.slots) for one in status.models)
    return (
        ("latency_ms", added_ms, thresholds.latency_ms),
        ("queue_depth", float(waiting), float(thresholds.queue_depth)),
        # Controllers do not measure processors: null says so, and a zero would say that they idle.
        ("cpu_ratio", None, thresholds.cpu_ratio),
        ("gpu_ratio", None, thresholds.gpu_ratio),
    )


def _findings(status: SiteStatus) -> list[tuple[bool, str]]:
    known_states = {SiteState.ALIVE, SiteState.DECLARED}
    store = status.store
    unready = [one.model for one in status.models if not one.ready]
    old = status.beacon_age_ms is not None and status.beacon_age_ms > BEACON_OLD_MS
    return [
        (status.state not in known_states, f"its state is {status.state}"),
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
