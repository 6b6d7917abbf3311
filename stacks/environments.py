"""Every difference between the environments, as data. `stacks/environment_checks.py` says what is legal."""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.zones import ZoneProfile


@dataclass(frozen=True, slots=True)
class SiteNodes:
    """Nodes that stand in a site's zone: a fixed number, since edge capacity is bought, not borrowed."""

    instance_type: str
    count: int
    volume_type: str
    volume_gib: int


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One MEC site.

    `cidr` is its subnet in the region's network and `nodes` its own machines; a site of profile `region` has neither:
    it runs on the cluster's nodes in its availability zone. `fargate` asks for pods without nodes. `residency` are the
    zones that requests may insist on. `device_classes` empty: every class.
    """

    name: str
    profile: ZoneProfile
    region: str
    zone: str
    residency: tuple[str, ...]
    cidr: str | None = None
    nodes: SiteNodes | None = None
    fargate: bool = False
    device_classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RegionPlan:
    """One region's network, and the availability zones that its cluster, its cache and the doors to AWS stand in.

    The lower half of `cidr` is for the availability zones, the upper half for the subnets of edge sites.
    """

    name: str
    cidr: str
    cluster_zones: tuple[str, ...]
    cache_zones: tuple[str, ...]
    endpoint_zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """Kubernetes. `nodes` are a managed group of that many; with `auto_scaling` AWS adds and removes nodes by demand.

    `spot_cpu_limit` bounds the vCPUs of spot nodes for work that may be interrupted; 0: none.
    """

    version: str
    nodes: int
    instance_type: str
    volume_gib: int
    auto_scaling: bool
    spot_cpu_limit: int


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Valkey in each region: `shards` shards of one primary and `replicas` replicas."""

    node_type: str
    shards: int
    replicas: int
    snapshot_days: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Days. `models` is how long a replaced version of a model is kept."""

    logs: int
    audit: int
    models: int


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """Monthly spending of the environment, and the shares of it (ratios) at which `email` is told."""

    monthly_usd: int
    alarm_ratios: tuple[float, ...]
    email: str


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """The model that every site serves. `service_ms` is a first guess; `cpu` and `memory` are Kubernetes quantities."""

    name: str
    server: str
    engine: str
    slots: int
    service_ms: float
    cpu: str
    memory: str


@dataclass(frozen=True, slots=True)
class BedrockModel:
    """A model of the cloud tier under the `name` that requests call it; `slots` are each proxy's.

    It is called by the inference profile `profile`, which runs `model` in one of `regions`.
    """

    name: str
    profile: str
    model: str
    regions: tuple[str, ...]
    slots: int


@dataclass(frozen=True, slots=True)
class CloudPlan:
    """Amazon Bedrock behind every site, by `proxies` pods each. `zones`: where it may process requests (residency)."""

    models: tuple[BedrockModel, ...]
    zones: tuple[str, ...]
    proxies: int
    rtt_ms: float
    service_ms: float


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """AgentCore Memory of agents. Events are kept for `days`; with `learns` strategies make knowledge of them."""

    days: int
    learns: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """One tier. `protected`: tables, buckets and stacks refuse to be deleted until this is switched off."""

    name: str
    account: str
    primary: str
    standby: str | None
    regions: tuple[RegionPlan, ...]
    sites: tuple[SitePlan, ...]
    cluster: ClusterPlan
    cache: CachePlan
    retention: Retention
    budget: BudgetPlan
    protected: bool
    cloud: CloudPlan
    memory: MemoryPlan
    model: ModelPlan = ModelPlan("smollm2-135m", "smollm2", "llama_cpp", slots=2, service_ms=400, cpu="1", memory="1Gi")

    def region(self, name: str) -> RegionPlan:
        return next(region for region in self.regions if region.name == name)

    def sites_in(self, region: str) -> tuple[SitePlan, ...]:
        return tuple(site for site in self.sites if site.region == region)


FRANKFURT_ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
DUBLIN_ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")

HAIKU = BedrockModel(
    "claude-haiku",
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    # As the profile's page of Bedrock's documentation lists them: whoever changes the profile looks there.
    ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"),
    slots=16,
)

STAGING = Environment(
    name="staging",
    account="111111111111",
    primary="eu-central-1",
    standby=None,
    regions=(RegionPlan("eu-central-1", "10.20.0.0/16", FRANKFURT_ZONES, FRANKFURT_ZONES[:2], FRANKFURT_ZONES[:1]),),
    # One of each profile: what production relies on at the edge is deployed here first.
    sites=(
        SitePlan("frankfurt", ZoneProfile.REGION, "eu-central-1", "eu-central-1a", ("de", "eu")),
        SitePlan(
            "hamburg",
            ZoneProfile.LOCAL_ZONE,
            "eu-central-1",
            "eu-central-1-ham-1a",
            ("de", "eu"),
            "10.20.128.0/24",
            SiteNodes("t3.xlarge", 1, "gp2", 80),
        ),
        SitePlan(
            "berlin",
            ZoneProfile.WAVELENGTH,
            "eu-central-1",
            "eu-central-1-wl1-ber-wlz-1",
            ("de", "eu"),
            "10.20.129.0/24",
            SiteNodes("t3.xlarge", 1, "gp2", 80),
        ),
    ),
    cluster=ClusterPlan("1.35", 3, "m7i.large", 100, auto_scaling=False, spot_cpu_limit=0),
    cache=CachePlan("cache.t4g.small", shards=1, replicas=1, snapshot_days=15),
    retention=Retention(logs=30, audit=365, models=30),
    budget=BudgetPlan(1500, (0.5, 0.8, 1.0), "edgemind-staging@example.com"),
    protected=False,
    cloud=CloudPlan((HAIKU,), ("eu",), proxies=1, rtt_ms=20, service_ms=2500),
    memory=MemoryPlan(days=30, learns=False),
)

PRODUCTION = Environment(
    name="production",
    account="222222222222",
    primary="eu-central-1",
    standby="eu-west-1",
    regions=(
        RegionPlan("eu-central-1", "10.40.0.0/16", FRANKFURT_ZONES, FRANKFURT_ZONES, FRANKFURT_ZONES[:2]),
        RegionPlan("eu-west-1", "10.44.0.0/16", DUBLIN_ZONES, DUBLIN_ZONES, DUBLIN_ZONES[:2]),
    ),
    sites=(
        SitePlan("frankfurt-a", ZoneProfile.REGION, "eu-central-1", "eu-central-1a", ("de", "eu"), fargate=True),
        SitePlan("frankfurt-b", ZoneProfile.REGION, "eu-central-1", "eu-central-1b", ("de", "eu"), fargate=True),
        SitePlan("frankfurt-c", ZoneProfile.REGION, "eu-central-1", "eu-central-1c", ("de", "eu")),
        # Beside frankfurt-c, for headsets only: a crowd of phones must not slow them down.
        SitePlan(
            "frankfurt-xr",
            ZoneProfile.REGION,
            "eu-central-1",
            "eu-central-1c",
            ("de", "eu"),
            device_classes=("xr",),
        ),
        SitePlan(
            "hamburg",
            ZoneProfile.LOCAL_ZONE,
            "eu-central-1",
            "eu-central-1-ham-1a",
            ("de", "eu"),
            "10.40.128.0/24",
            SiteNodes("g4dn.2xlarge", 2, "gp2", 200),
        ),
        SitePlan(
            "warsaw",
            ZoneProfile.LOCAL_ZONE,
            "eu-central-1",
            "eu-central-1-waw-1a",
            ("pl", "eu"),
            "10.40.129.0/24",
            SiteNodes("c5.4xlarge", 2, "gp2", 200),
        ),
        SitePlan(
            "berlin",
            ZoneProfile.WAVELENGTH,
            "eu-central-1",
            "eu-central-1-wl1-ber-wlz-1",
            ("de", "eu"),
            "10.40.130.0/24",
            SiteNodes("g4dn.2xlarge", 2, "gp2", 200),
        ),
        SitePlan("dublin-a", ZoneProfile.REGION, "eu-west-1", "eu-west-1a", ("ie", "eu"), fargate=True),
        SitePlan("dublin-b", ZoneProfile.REGION, "eu-west-1", "eu-west-1b", ("ie", "eu"), fargate=True),
        SitePlan("dublin-c", ZoneProfile.REGION, "eu-west-1", "eu-west-1c", ("ie", "eu")),
    ),
    cluster=ClusterPlan("1.35", 3, "m7i.xlarge", 100, auto_scaling=True, spot_cpu_limit=64),
    cache=CachePlan("cache.r7g.large", shards=3, replicas=1, snapshot_days=15),
    retention=Retention(logs=365, audit=2557, models=90),
    budget=BudgetPlan(15_000, (0.5, 0.8, 1.0), "edgemind-production@example.com"),
    protected=True,
    cloud=CloudPlan((HAIKU,), ("eu",), proxies=2, rtt_ms=20, service_ms=2500),
    memory=MemoryPlan(days=365, learns=True),
)

ENVIRONMENTS: Mapping[str, Environment] = {environment.name: environment for environment in (STAGING, PRODUCTION)}
