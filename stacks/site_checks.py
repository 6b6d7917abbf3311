"""What one site may be, by the profile of its zone. Each problem is (field, what is wrong, what is legal)."""

from collections.abc import Iterator, Sequence

from edgemind.domain.fleet import DeviceClass
from stacks.plans import SiteNodes, SitePlan
from stacks.zones import ZONES, Zone, ZoneProfile, zones_of

SiteProblem = tuple[str, str, str]


def site_problems(site: SitePlan, regions: Sequence[str]) -> Iterator[SiteProblem]:
    if site.region not in regions:
        yield "region", f"is {site.region!r}", ", ".join(regions)
        return
    legal = ", ".join(zones_of(site.region, site.profile)) or "none in this region; take another profile"
    zone = ZONES.get(site.zone)
    if zone is None or zone.region != site.region or zone.profile is not site.profile:
        yield "zone", f"{site.zone!r} is no zone of profile {site.profile} in {site.region}", legal
        return
    classes = [device.value for device in DeviceClass]
    for name in site.device_classes:
        if name not in classes:
            yield "device_classes", f"has {name!r}", ", ".join(classes)
    if site.profile is ZoneProfile.REGION:
        yield from _in_region(site)
    else:
        yield from _at_the_edge(site, zone)


def _in_region(site: SitePlan) -> Iterator[SiteProblem]:
    if site.cidr is not None:
        yield "cidr", f"is {site.cidr!r}, but a site in the region uses the region's subnets", "None"
    if site.nodes is not None:
        yield "nodes", "are given, but a site in the region runs on the cluster's nodes", "None"


def _at_the_edge(site: SitePlan, zone: Zone) -> Iterator[SiteProblem]:
    if site.fargate:
        yield "fargate", f"{zone.name} cannot hold Fargate, which is regional", "False, or a site of profile region"
    if site.cidr is None:
        yield "cidr", "is missing: an edge zone needs a subnet of its own", "a /20 to /28 in the region's upper half"
    if site.nodes is None:
        yield "nodes", "are missing: managed node groups do not reach an edge zone", "SiteNodes(...)"
    else:
        yield from _nodes(site.nodes, zone)


def _nodes(nodes: SiteNodes, zone: Zone) -> Iterator[SiteProblem]:
    if nodes.instance_type not in zone.instance_types:
        yield "nodes.instance_type", f"{zone.name} lacks {nodes.instance_type}", ", ".join(sorted(zone.instance_types))
    if nodes.volume_type not in zone.volume_types:
        yield "nodes.volume_type", f"{zone.name} lacks {nodes.volume_type}", ", ".join(sorted(zone.volume_types))
    if not 1 <= nodes.count <= 100:
        yield "nodes.count", f"is {nodes.count}", "1 to 100"
    if not 20 <= nodes.volume_gib <= 16_384:
        yield "nodes.volume_gib", f"is {nodes.volume_gib}", "20 to 16384"
