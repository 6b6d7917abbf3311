"""What AWS says about the zones that sites may stand in: parent region, kind, instance and volume types.

Data only, as of 2026-11 (the pages "Local Zones features" and "Wavelength features" of AWS). A zone that is missing
here is refused by the checks: add its row first, so that what it lacks is known before a deploy finds out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ZoneProfile(StrEnum):
    """The kind of place a site stands in; it decides what can run there."""

    REGION = "region"
    LOCAL_ZONE = "local_zone"
    WAVELENGTH = "wavelength"


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone. Empty `instance_types` put no bound on what may run in it."""

    name: str
    region: str
    profile: ZoneProfile
    instance_types: frozenset[str] = frozenset()
    volume_types: frozenset[str] = frozenset({"gp2", "gp3", "io2"})


_HAMBURG = frozenset(
    f"{family}.{size}"
    for family, sizes in {
        "c5": ("large", "xlarge", "2xlarge", "4xlarge"),
        "m5": ("large", "xlarge", "2xlarge", "4xlarge"),
        "r5": ("large", "xlarge", "2xlarge", "4xlarge"),
        "t3": ("medium", "large", "xlarge", "2xlarge"),
        "g4dn": ("2xlarge",),
    }.items()
    for size in sizes
)
_WARSAW = _HAMBURG - {"g4dn.2xlarge"}
_WAVELENGTH = frozenset({"t3.medium", "t3.xlarge", "r5.2xlarge", "g4dn.2xlarge"})
_GP2 = frozenset({"gp2"})


def _availability_zones(region: str) -> tuple[Zone, ...]:
    return tuple(Zone(f"{region}{letter}", region, ZoneProfile.REGION) for letter in "abc")


ZONES: Mapping[str, Zone] = {
    zone.name: zone
    for zone in (
        *_availability_zones("eu-central-1"),
        *_availability_zones("eu-west-1"),
        Zone("eu-central-1-ham-1a", "eu-central-1", ZoneProfile.LOCAL_ZONE, _HAMBURG, _GP2),
        Zone("eu-central-1-waw-1a", "eu-central-1", ZoneProfile.LOCAL_ZONE, _WARSAW, _GP2),
        Zone("eu-central-1-wl1-ber-wlz-1", "eu-central-1", ZoneProfile.WAVELENGTH, _WAVELENGTH, _GP2),
        Zone("eu-central-1-wl1-dtm-wlz-1", "eu-central-1", ZoneProfile.WAVELENGTH, _WAVELENGTH, _GP2),
        Zone("eu-central-1-wl1-muc-wlz-1", "eu-central-1", ZoneProfile.WAVELENGTH, _WAVELENGTH, _GP2),
    )
}
REGIONS = tuple(dict.fromkeys(zone.region for zone in ZONES.values()))


def zones_of(region: str, profile: ZoneProfile) -> tuple[str, ...]:
    """Names of the zones of one kind in a region."""
    return tuple(zone.name for zone in ZONES.values() if zone.region == region and zone.profile is profile)
