"""Sites that joined, as a controller tells its gateways of them: what is needed to route to them, and no keys."""

from dataclasses import dataclass

from edgemind.domain.fleet import DeviceClass, ModelEndpoint, Site
from edgemind.domain.wire import Fields

ZONES_LIMIT = 256


@dataclass(frozen=True, slots=True)
class JoinedSites:
    """`version` is that of the roster on which they stand."""

    version: int
    sites: tuple[Site, ...]


def joined_document(joined: JoinedSites) -> dict[str, object]:
    return {"version": joined.version, "sites": [_site_document(site) for site in joined.sites]}


def parse_joined(document: object) -> JoinedSites:
    """DocumentInvalid names the first field that is wrong."""
    fields = Fields(document, "joined")
    return JoinedSites(fields.count("version"), tuple(_site(site) for site in fields.listed("sites")))


def _site_document(site: Site) -> dict[str, object]:
    return {
        "name": site.name,
        "zones": sorted(site.zones),
        "device_classes": sorted(site.device_classes),
        "gateway": site.gateway_url,
        "controller": site.controller_url,
        "rtt_ms": dict(site.rtt_ms),
        "models": [
            {
                "name": endpoint.model,
                "base_url": endpoint.base_url,
                "slots": endpoint.slots,
                "service_ms": endpoint.service_ms,
                "size_gb": endpoint.size_gb,
                "load_ms": endpoint.load_ms,
            }
            for endpoint in site.endpoints
        ],
    }


def _site(fields: Fields) -> Site:
    known = {one.value: one for one in DeviceClass}
    return Site(
        name=fields.text("name"),
        zones=frozenset(fields.texts("zones", ZONES_LIMIT)),
        endpoints=tuple(_endpoint(model) for model in fields.listed("models")),
        gateway_url=fields.text_or_none("gateway"),
        controller_url=fields.text_or_none("controller"),
        # A class that this version does not know has no devices here.
        device_classes=frozenset(known[name] for name in fields.texts("device_classes", ZONES_LIMIT) if name in known),
        rtt_ms=fields.numbers("rtt_ms"),
    )


def _endpoint(fields: Fields) -> ModelEndpoint:
    return ModelEndpoint(
        model=fields.text("name"),
        base_url=fields.text("base_url"),
        slots=fields.count("slots"),
        service_ms=fields.number("service_ms"),
        size_gb=fields.number("size_gb", 0.0),
        load_ms=fields.number("load_ms", 0.0),
    )
