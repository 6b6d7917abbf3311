"""What an environment consists of: the shapes of `stacks/environments.py`, without a value."""

from dataclasses import dataclass

from edgemind.domain.kpi import Tier
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
    """Monthly spending of the environment. `email` is told at the shares of it that the KPI catalogue names."""

    monthly_usd: int
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
class LogSearchPlan:
    """OpenSearch over the logs of pods, which it keeps for `days`. `copies`: in two zones, and not in one."""

    days: int
    copies: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """One tier. `protected`: tables, buckets and stacks refuse to be deleted until this is switched off.

    `alert_email` is told of critical alerts and warnings. Without `log_search` logs are in CloudWatch alone.
    """

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
    alert_email: str
    log_search: LogSearchPlan | None
    model: ModelPlan = ModelPlan("smollm2-135m", "smollm2", "llama_cpp", slots=2, service_ms=400, cpu="1", memory="1Gi")

    @property
    def tier(self) -> Tier:
        """Whose limits of the KPI catalogue hold."""
        return Tier.PRODUCTION if self.protected else Tier.STAGING

    def region(self, name: str) -> RegionPlan:
        return next(region for region in self.regions if region.name == name)

    def sites_in(self, region: str) -> tuple[SitePlan, ...]:
        return tuple(site for site in self.sites if site.region == region)
