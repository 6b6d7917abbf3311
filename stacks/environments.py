"""Every difference between the environments, as data. `stacks/environment_checks.py` says what is legal."""

from collections.abc import Mapping

from stacks.plans import (
    BedrockModel,
    BudgetPlan,
    CachePlan,
    CloudPlan,
    ClusterPlan,
    Environment,
    LogSearchPlan,
    MemoryPlan,
    RegionPlan,
    Retention,
    SiteNodes,
    SitePlan,
)
from stacks.zones import ZoneProfile

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
    budget=BudgetPlan(1500, "edgemind-staging@example.com"),
    protected=False,
    cloud=CloudPlan((HAIKU,), ("eu",), proxies=1, rtt_ms=20, service_ms=2500),
    memory=MemoryPlan(days=30, learns=False),
    alert_email="edgemind-staging-alerts@example.com",
    log_search=None,
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
    budget=BudgetPlan(15_000, "edgemind-production@example.com"),
    protected=True,
    cloud=CloudPlan((HAIKU,), ("eu",), proxies=2, rtt_ms=20, service_ms=2500),
    memory=MemoryPlan(days=365, learns=True),
    alert_email="edgemind-production-alerts@example.com",
    log_search=LogSearchPlan(days=30, copies=True),
)

ENVIRONMENTS: Mapping[str, Environment] = {environment.name: environment for environment in (STAGING, PRODUCTION)}
