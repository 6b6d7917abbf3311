"""What an environment may be, each rule broken once; and that all problems are told at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edgemind.errors import ConfigurationError
from stacks.environment_checks import MAX_SITES, choose_environment, environment_problems
from stacks.environments import ENVIRONMENTS, PRODUCTION, STAGING
from stacks.plans import Environment, SiteNodes, SitePlan
from stacks.zones import ZONES, ZoneProfile

Spoil = Callable[[Environment], Environment]


def problems(environment: Environment) -> list[str]:
    return [str(problem) for problem in environment_problems(environment)]


def site(environment: Environment, name: str) -> int:
    return next(number for number, planned in enumerate(environment.sites) if planned.name == name)


def with_site(name: str, /, **changes: Any) -> Spoil:
    def spoil(environment: Environment) -> Environment:
        sites = list(environment.sites)
        number = site(environment, name)
        sites[number] = replace(sites[number], **changes)
        return replace(environment, sites=tuple(sites))

    return spoil


def with_nodes(name: str, /, **changes: Any) -> Spoil:
    def spoil(environment: Environment) -> Environment:
        nodes = environment.sites[site(environment, name)].nodes
        assert nodes is not None
        return with_site(name, nodes=replace(nodes, **changes))(environment)

    return spoil


def with_region(number: int, /, **changes: Any) -> Spoil:
    def spoil(environment: Environment) -> Environment:
        regions = list(environment.regions)
        regions[number] = replace(regions[number], **changes)
        return replace(environment, regions=tuple(regions))

    return spoil


def with_part(part: str, /, **changes: Any) -> Spoil:
    return lambda environment: replace(environment, **{part: replace(getattr(environment, part), **changes)})


def second_wavelength_zone(environment: Environment) -> Environment:
    munich = SitePlan(
        "munich",
        ZoneProfile.WAVELENGTH,
        "eu-central-1",
        "eu-central-1-wl1-muc-wlz-1",
        ("de",),
        "10.20.140.0/24",
        SiteNodes("t3.xlarge", 1, "gp2", 80),
    )
    return replace(environment, sites=(*environment.sites, munich))


CASES: list[tuple[str, Environment, Spoil, str]] = [
    ("account", STAGING, lambda e: replace(e, account="1234"), "staging.account: is '1234'; legal: 12 digits"),
    ("account", STAGING, lambda e: replace(e, account="\u0661" * 12), "legal: 12 digits"),
    (
        "fargate",
        STAGING,
        with_site("hamburg", fargate=True),
        "sites[1].fargate: eu-central-1-ham-1a cannot hold Fargate",
    ),
    (
        "control plane",
        STAGING,
        with_region(0, cluster_zones=("eu-central-1a", "eu-central-1-ham-1a")),
        "cluster_zones: eu-central-1-ham-1a cannot hold an EKS control plane; legal: at least 2 of eu-central-1a",
    ),
    (
        "cache",
        STAGING,
        with_region(0, cache_zones=("eu-central-1a", "eu-central-1-wl1-ber-wlz-1")),
        "regions[0].cache_zones: eu-central-1-wl1-ber-wlz-1 cannot hold ElastiCache",
    ),
    (
        "one zone",
        STAGING,
        with_region(0, cache_zones=("eu-central-1a",)),
        "cache_zones: has 1 of them; legal: at least 2",
    ),
    ("no door", STAGING, with_region(0, endpoint_zones=()), "endpoint_zones: has 0 of them; legal: at least 1"),
    (
        "outside the network",
        STAGING,
        with_region(0, cluster_zones=("eu-central-1b", "eu-central-1c")),
        "regions[0].endpoint_zones: eu-central-1a has no subnet; legal: eu-central-1b, eu-central-1c",
    ),
    (
        "site without nodes",
        STAGING,
        with_region(0, cluster_zones=("eu-central-1b", "eu-central-1c")),
        "sites[0].zone: the cluster has no nodes in eu-central-1a; legal: eu-central-1b, eu-central-1c",
    ),
    (
        "no region",
        STAGING,
        with_region(0, name="eu-central-1-ham-1a"),
        "'eu-central-1-ham-1a' is no region, and EKS control planes, DynamoDB and ElastiCache stand in regions only",
    ),
    (
        "two wavelength zones",
        STAGING,
        second_wavelength_zone,
        "sites[3].zone: eu-central-1-wl1-muc-wlz-1 cannot talk to eu-central-1-wl1-ber-wlz-1",
    ),
    (
        "instance type",
        STAGING,
        with_nodes("berlin", instance_type="m7i.large"),
        "sites[2].nodes.instance_type: eu-central-1-wl1-ber-wlz-1 lacks m7i.large; legal: g4dn.2xlarge, r5.2xlarge",
    ),
    (
        "volume type",
        STAGING,
        with_nodes("hamburg", volume_type="gp3"),
        "nodes.volume_type: eu-central-1-ham-1a lacks gp3; legal: gp2",
    ),
    ("nodes", STAGING, with_nodes("hamburg", count=0), "nodes.count: is 0; legal: 1 to 100"),
    ("volume", STAGING, with_nodes("hamburg", volume_gib=1), "nodes.volume_gib: is 1; legal: 20 to 16384"),
    ("no nodes", STAGING, with_site("hamburg", nodes=None), "sites[1].nodes: are missing"),
    ("no cidr", STAGING, with_site("hamburg", cidr=None), "sites[1].cidr: is missing"),
    ("nodes in the region", STAGING, with_site("frankfurt", nodes=STAGING.sites[1].nodes), "sites[0].nodes: are given"),
    (
        "cidr in the region",
        STAGING,
        with_site("frankfurt", cidr="10.20.150.0/24"),
        "sites[0].cidr: is '10.20.150.0/24'",
    ),
    (
        "zone of another profile",
        STAGING,
        with_site("hamburg", zone="eu-central-1a"),
        "is no zone of profile local_zone in eu-central-1; legal: eu-central-1-ham-1a, eu-central-1-waw-1a",
    ),
    ("unknown zone", STAGING, with_site("hamburg", zone="mars-1a"), "'mars-1a' is no zone of profile local_zone"),
    ("foreign region", STAGING, with_site("hamburg", region="eu-west-1"), "sites[1].region: is 'eu-west-1'"),
    ("device class", STAGING, with_site("berlin", device_classes=("fridge",)), "has 'fridge'; legal: mobile, iot, xr"),
    ("site name", STAGING, with_site("berlin", name="Berlin!"), "is 'Berlin!'; legal: 2 to 32 lower-case letters"),
    ("site twice", STAGING, with_site("berlin", name="hamburg"), "'hamburg' is there twice"),
    (
        "sites overlap",
        STAGING,
        with_site("berlin", cidr="10.20.128.0/25"),
        "sites[2].cidr: 10.20.128.0/25 overlaps sites[1].cidr (10.20.128.0/24)",
    ),
    ("site outside", STAGING, with_site("berlin", cidr="10.20.3.0/24"), "legal: a /20 to /28 inside 10.20.128.0/17"),
    ("no network", STAGING, with_site("berlin", cidr="10.20.128.1/24"), "sites[2].cidr: is '10.20.128.1/24'"),
    (
        "regions overlap",
        PRODUCTION,
        with_region(1, cidr="10.40.0.0/16"),
        "regions[1].cidr: 10.40.0.0/16 overlaps regions[0]",
    ),
    ("public network", STAGING, with_region(0, cidr="8.8.0.0/16"), "is '8.8.0.0/16'; legal: a private /16"),
    ("quorum", STAGING, lambda e: replace(e, sites=e.sites[:2]), "staging.sites: eu-central-1 has 2; legal: 3 to 50"),
    ("no standby", PRODUCTION, lambda e: replace(e, standby=None), "production.standby: is missing"),
    (
        "foreign standby",
        PRODUCTION,
        lambda e: replace(e, standby="us-east-1"),
        "standby: is 'us-east-1'; legal: eu-west-1",
    ),
    ("standby is primary", PRODUCTION, lambda e: replace(e, standby=e.primary), "standby: is 'eu-central-1'"),
    (
        "primary",
        PRODUCTION,
        lambda e: replace(e, primary="us-east-1"),
        "primary: is 'us-east-1'; legal: eu-central-1, eu-west-1",
    ),
    (
        "budget",
        STAGING,
        with_part("budget", monthly_usd=-1),
        "budget.monthly_usd: is -1; legal: a whole number above 0",
    ),
    (
        "alerts",
        STAGING,
        lambda plan: replace(plan, alert_email="pager"),
        "alert_email: is 'pager'; legal: an address that somebody reads",
    ),
    ("email", STAGING, with_part("budget", email="nobody"), "budget.email: is 'nobody'"),
    ("version", STAGING, with_part("cluster", version="1.27"), "cluster.version: is '1.27'; legal: 1.33, 1.34, 1.35"),
    ("nodes of the cluster", STAGING, with_part("cluster", nodes=1), "cluster.nodes: is 1; legal: 2 to 100"),
    ("replicas", STAGING, with_part("cache", replicas=0), "cache.replicas: is 0; legal: 1 to 5"),
    ("log days", STAGING, with_part("retention", logs=31), "retention.logs: is 31; legal: 1, 3, 5"),
    ("days of search", PRODUCTION, with_part("log_search", days=0), "log_search.days: is 0; legal: 1 to 3650"),
]


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=lambda environment: environment.name)
def test_our_environments_are_sound(environment: Environment) -> None:
    assert problems(environment) == []


@pytest.mark.parametrize(
    ("environment", "spoil", "says"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_rule_tells_field_and_legal_values(environment: Environment, spoil: Spoil, says: str) -> None:
    (found,) = [problem for problem in problems(spoil(environment)) if says in problem]
    assert found.startswith(f"{environment.name}.")
    assert "; legal: " in found


def test_all_problems_are_told_at_once() -> None:
    spoiled = replace(
        with_nodes("berlin", instance_type="m7i.large")(with_part("budget", monthly_usd=-5)(STAGING)), account="x"
    )
    with pytest.raises(ConfigurationError) as refused:
        choose_environment("staging", environments={"staging": spoiled})
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "staging.account",
        "staging.sites[2].nodes.instance_type",
        "staging.budget.monthly_usd",
    ]


def test_wrong_words_of_the_command_line_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        choose_environment("prod", account="12", image="Registry/Thing")
    assert str(refused.value).splitlines() == [
        "-c env: there is no environment 'prod'; legal: staging, production",
        "-c image: is 'Registry/Thing'; legal: REGISTRY/PREFIX:TAG, lower case",
        "-c account: is '12'; legal: 12 digits, such as 111111111111 (-c account=)",
    ]


def test_the_account_may_be_given() -> None:
    assert choose_environment("staging", account="123456789012").account == "123456789012"
    assert choose_environment("staging").account == STAGING.account


def test_a_fleet_has_a_largest_size() -> None:
    first = STAGING.sites[0]
    many = tuple(replace(first, name=f"site-{number}") for number in range(MAX_SITES + 1))
    assert any("has 51; legal: 3 to 50" in problem for problem in problems(replace(STAGING, sites=many)))


def test_every_zone_lies_in_a_region_that_the_table_knows() -> None:
    for zone in ZONES.values():
        assert zone.name.startswith(zone.region)
        assert bool(zone.instance_types) is (zone.profile is not ZoneProfile.REGION)
