"""Where a request may go from one ingress, as the configuration declares it."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgemind.domain.fleet import Fleet, Site, Tier
from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.cost import ServiceTimeEstimate
from edgemind.domain.routing.health import EjectionRule, UpstreamHealth

DEFAULT_NEIGHBOUR_RTT_MS = 5.0
"""A neighbour's round trip until it is declared or measured."""


@dataclass(slots=True)
class Target:
    """A candidate with what the relay needs: where to send, whether a gateway stands there, and how it has behaved.

    `slots` are those of one replica, as declared.
    """

    candidate: Candidate
    base_url: str
    via_gateway: bool
    key: str | None
    health: UpstreamHealth
    service: ServiceTimeEstimate
    slots: int


def declared_targets(fleet: Fleet, ingress: str, rule: EjectionRule) -> Iterable[Target]:
    """Every place a request may go from this ingress: own servers, neighbours' gateways, others' servers, the cloud."""
    own = fleet.site(ingress)
    for site in (*fleet.sites, *((fleet.cloud,) if fleet.cloud else ())):
        rtt_ms = _declared_rtt_ms(own, site, ingress)
        if site.gateway_url is not None and site.name != ingress:
            yield from _gateway_targets(site, rtt_ms, rule)
            continue
        for endpoint in site.endpoints:
            key = f"{site.name}/{endpoint.model}@{endpoint.base_url}"
            candidate = Candidate(
                key, site, endpoint.model, endpoint.slots, endpoint.service_ms, rtt_ms, endpoint.load_ms
            )
            service = ServiceTimeEstimate(endpoint.service_ms)
            health = UpstreamHealth(rule)
            yield Target(candidate, endpoint.base_url, False, endpoint.key, health, service, endpoint.slots)


def _gateway_targets(site: Site, rtt_ms: float, rule: EjectionRule) -> Iterable[Target]:
    """A neighbour with a gateway is one candidate per model: its own gateway knows which of its servers is free."""
    assert site.gateway_url is not None
    for model in site.models():
        servers = [endpoint for endpoint in site.endpoints if endpoint.model == model]
        slots = sum(server.slots for server in servers)
        service_ms = sum(server.service_ms * server.slots for server in servers) / slots
        candidate = Candidate(f"{site.name}/{model}", site, model, slots, service_ms, rtt_ms)
        service = ServiceTimeEstimate(service_ms)
        yield Target(candidate, site.gateway_url, True, None, UpstreamHealth(rule), service, slots)


def _declared_rtt_ms(own: Site | None, site: Site, ingress: str) -> float:
    if site.name == ingress:
        return 0.0
    if site.tier is Tier.CLOUD:
        return site.rtt_ms.get("*", 0.0)
    declared = (own.rtt_ms.get(site.name) if own else None) or site.rtt_ms.get(ingress)
    return DEFAULT_NEIGHBOUR_RTT_MS if declared is None else declared
