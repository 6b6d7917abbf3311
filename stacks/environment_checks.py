"""What an environment may be. Every problem is found at once, each with its field and the legal values.

Pure: no CDK, so that the checks run in milliseconds and before anything is built.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_network

from edgemind.errors import ConfigurationError
from stacks.environments import ENVIRONMENTS
from stacks.plans import Environment, RegionPlan, SitePlan
from stacks.site_checks import site_problems
from stacks.zones import REGIONS, ZONES, ZoneProfile, zones_of

LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch Logs takes as retention."""
KUBERNETES_VERSIONS = ("1.33", "1.34", "1.35")
"""In standard support at the date of stacks/zones.py."""
QUORUM_SITES = 3
MAX_SITES = 50
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", re.ASCII)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*[a-z0-9]:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, what is wrong, and what may stand there."""

    field: str
    what: str
    legal: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; legal: {self.legal}"


def choose_environment(
    name: object, account: object = None, image: object = None, environments: Mapping[str, Environment] = ENVIRONMENTS
) -> Environment:
    """The environment that `-c env=`, `-c account=` and `-c image=` ask for; ConfigurationError lists all problems."""
    names = ", ".join(environments)
    problems: list[Problem] = []
    chosen = environments.get(name) if isinstance(name, str) else None
    if not name:
        problems.append(Problem("-c env", "is missing", names))
    elif chosen is None:
        problems.append(Problem("-c env", f"there is no environment {str(name)[:60]!r}", names))
    if image is not None and not (isinstance(image, str) and _IMAGE.fullmatch(image)):
        problems.append(Problem("-c image", f"is {str(image)[:60]!r}", "REGISTRY/PREFIX:TAG, lower case"))
    if chosen is not None:
        problems += environment_problems(chosen if account is None else replace(chosen, account=str(account)))
    elif account is not None and not _ACCOUNT.fullmatch(str(account)):
        problems.append(_wrong_account(str(account), "-c account"))
    if problems or chosen is None:
        raise ConfigurationError("\n".join(str(problem) for problem in problems))
    return chosen if account is None else replace(chosen, account=str(account))


def environment_problems(environment: Environment) -> list[Problem]:
    """Everything that is wrong with one environment; empty if nothing is."""
    checks = (_names, _regions, _networks, _sites, _standby, _sizes, _budget)
    return [
        replace(problem, field=f"{environment.name}.{problem.field}")
        for check in checks
        for problem in check(environment)
    ]


def _wrong_account(account: str, field: str = "account") -> Problem:
    return Problem(field, f"is {account[:60]!r}", "12 digits, such as 111111111111 (-c account=)")


def _names(environment: Environment) -> Iterator[Problem]:
    if not _ACCOUNT.fullmatch(environment.account):
        yield _wrong_account(environment.account)
    seen: set[str] = set()
    for number, site in enumerate(environment.sites):
        field = f"sites[{number}].name"
        if not _NAME.fullmatch(site.name):
            yield Problem(field, f"is {site.name!r}", "2 to 32 lower-case letters, digits and '-', a letter first")
        if site.name in seen:
            yield Problem(field, f"{site.name!r} is there twice", "a name of its own for each site")
        seen.add(site.name)


def _regions(environment: Environment) -> Iterator[Problem]:
    named = [region.name for region in environment.regions]
    for number, region in enumerate(environment.regions):
        field = f"regions[{number}]"
        if region.name not in REGIONS:
            yield Problem(
                f"{field}.name",
                f"{region.name!r} is no region, and EKS control planes, DynamoDB and ElastiCache stand in regions only",
                ", ".join(REGIONS),
            )
            continue
        yield from _zones(field, region)
    if len(set(named)) < len(named):
        yield Problem("regions", "a region is there twice", "each region once")
    if environment.primary not in named:
        yield Problem("primary", f"is {environment.primary!r}", ", ".join(named))


def _zones(field: str, region: RegionPlan) -> Iterator[Problem]:
    availability_zones = zones_of(region.name, ZoneProfile.REGION)
    for name, holds, zones, least in (
        ("cluster_zones", "an EKS control plane", region.cluster_zones, 2),
        ("cache_zones", "ElastiCache", region.cache_zones, 2),
        ("endpoint_zones", "interface endpoints", region.endpoint_zones, 1),
    ):
        legal = f"at least {least} of {', '.join(availability_zones)}"
        wrong = [zone for zone in zones if zone not in availability_zones]
        if wrong:
            yield Problem(f"{field}.{name}", f"{', '.join(wrong)} cannot hold {holds}", legal)
        elif len(set(zones)) < least:
            yield Problem(f"{field}.{name}", f"has {len(set(zones))} of them", legal)
        outside = [zone for zone in zones if zone in availability_zones and zone not in region.cluster_zones]
        if outside:
            yield Problem(f"{field}.{name}", f"{', '.join(outside)} has no subnet", ", ".join(region.cluster_zones))


def _networks(environment: Environment) -> Iterator[Problem]:
    """CIDRs: well formed, private, in their region's upper half, and none inside another."""
    placed: list[tuple[str, IPv4Network]] = []
    halves: dict[str, IPv4Network] = {}
    for number, region in enumerate(environment.regions):
        field = f"regions[{number}].cidr"
        network = _network(region.cidr)
        if network is None or network.prefixlen != 16 or not network.is_private:
            yield Problem(field, f"is {region.cidr!r}", "a private /16, such as 10.20.0.0/16")
            continue
        yield from _overlaps(field, network, placed)
        placed.append((field, network))
        halves[region.name] = list(network.subnets())[1]
    subnets: list[tuple[str, IPv4Network]] = []
    for number, site in enumerate(environment.sites):
        if site.cidr is None or site.region not in halves:
            continue
        field, half = f"sites[{number}].cidr", halves[site.region]
        network = _network(site.cidr)
        if network is None or not network.subnet_of(half) or not 20 <= network.prefixlen <= 28:
            yield Problem(field, f"is {site.cidr!r}", f"a /20 to /28 inside {half}")
            continue
        yield from _overlaps(field, network, subnets)
        subnets.append((field, network))


def _network(cidr: str) -> IPv4Network | None:
    try:
        network = ip_network(cidr)
    except ValueError:
        return None
    return network if isinstance(network, IPv4Network) else None


def _overlaps(field: str, network: IPv4Network, others: list[tuple[str, IPv4Network]]) -> Iterator[Problem]:
    for other, taken in others:
        if network.overlaps(taken):
            yield Problem(field, f"{network} overlaps {other} ({taken})", "a range of its own")


def _sites(environment: Environment) -> Iterator[Problem]:
    named = [region.name for region in environment.regions]
    for number, site in enumerate(environment.sites):
        for name, what, legal in site_problems(site, named):
            yield Problem(f"sites[{number}].{name}", what, legal)
        yield from _site_in_a_cluster_zone(environment, number, site)
    for region in named:
        sites = environment.sites_in(region)
        if not QUORUM_SITES <= len(sites) <= MAX_SITES:
            legal = (
                f"{QUORUM_SITES} to {MAX_SITES}: with fewer than {QUORUM_SITES} no majority survives the loss of one"
            )
            yield Problem("sites", f"{region} has {len(sites)}", legal)
        yield from _wavelength_neighbours(environment, sites)


def _site_in_a_cluster_zone(environment: Environment, number: int, site: SitePlan) -> Iterator[Problem]:
    for region in environment.regions:
        if site.profile is ZoneProfile.REGION and site.region == region.name and site.zone not in region.cluster_zones:
            legal = ", ".join(region.cluster_zones)
            yield Problem(f"sites[{number}].zone", f"the cluster has no nodes in {site.zone}", legal)


def _wavelength_neighbours(environment: Environment, sites: tuple[SitePlan, ...]) -> Iterator[Problem]:
    """The sites of a region vote together, but AWS routes no packet between two Wavelength Zones of one VPC."""
    wavelength = [site for site in sites if site.zone in ZONES and ZONES[site.zone].profile is ZoneProfile.WAVELENGTH]
    zones = list(dict.fromkeys(site.zone for site in wavelength))
    for site in wavelength:
        if site.zone != zones[0]:
            yield Problem(
                f"sites[{environment.sites.index(site)}].zone",
                f"{site.zone} cannot talk to {zones[0]}, a Wavelength Zone of the same VPC, and sites of a region must",
                f"{', '.join((zones[0], *zones_of(site.region, ZoneProfile.LOCAL_ZONE)))}, or an availability zone",
            )


def _standby(environment: Environment) -> Iterator[Problem]:
    others = [region.name for region in environment.regions if region.name != environment.primary]
    legal = ", ".join(others or [region for region in REGIONS if region != environment.primary])
    if environment.standby is None and environment.protected:
        yield Problem("standby", "is missing: a protected environment survives the loss of a region", legal)
    elif environment.standby is not None and environment.standby not in others:
        yield Problem("standby", f"is {environment.standby!r}", f"{legal}, as one of the regions")


def _sizes(environment: Environment) -> Iterator[Problem]:
    cluster, cache = environment.cluster, environment.cache
    if cluster.version not in KUBERNETES_VERSIONS:
        yield Problem("cluster.version", f"is {cluster.version!r}", ", ".join(KUBERNETES_VERSIONS))
    bounds: tuple[tuple[str, int, int, int], ...] = (
        ("cluster.nodes", cluster.nodes, 2, 100),
        ("cluster.volume_gib", cluster.volume_gib, 20, 16_384),
        ("cluster.spot_cpu_limit", cluster.spot_cpu_limit, 0, 10_000),
        ("cache.shards", cache.shards, 1, 500),
        ("cache.replicas", cache.replicas, 1, 5),
        ("cache.snapshot_days", cache.snapshot_days, 1, 35),
        ("retention.models", environment.retention.models, 1, 3650),
    )
    if environment.log_search is not None:
        bounds += (("log_search.days", environment.log_search.days, 1, 3650),)
    for field, value, least, most in bounds:
        if not least <= value <= most:
            yield Problem(field, f"is {value}", f"{least} to {most}")
    for field, days in (
        ("retention.logs", environment.retention.logs),
        ("retention.audit", environment.retention.audit),
    ):
        if days not in LOG_DAYS:
            yield Problem(field, f"is {days}", ", ".join(map(str, LOG_DAYS)))


def _budget(environment: Environment) -> Iterator[Problem]:
    budget = environment.budget
    if budget.monthly_usd <= 0:
        yield Problem("budget.monthly_usd", f"is {budget.monthly_usd}", "a whole number above 0")
    for field, email in (("budget.email", budget.email), ("alert_email", environment.alert_email)):
        if not _EMAIL.fullmatch(email):
            yield Problem(field, f"is {email!r}", "an address that somebody reads")
