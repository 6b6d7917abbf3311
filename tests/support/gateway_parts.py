"""Pieces of a gateway for tests without sockets: a small fleet, its router, a decision's record, a parsed head."""

from random import Random

from edgemind.domain.fleet import Fleet, ModelEndpoint, Site, Tenant, Tier
from edgemind.domain.requests import Constraints, Demand
from edgemind.domain.routing.policy_settings import RoutingPolicy
from edgemind.entrypoints.gateway.heads import Head
from edgemind.services.recent_decisions import DecisionRecord
from edgemind.services.route_request import RequestRouter
from tests.support.clocks import ManualClock


def endpoint(
    model: str = "m", url: str = "http://a:1/v1", *, slots: int = 4, service_ms: float = 20.0, key: str | None = None
) -> ModelEndpoint:
    return ModelEndpoint(model, url, slots, service_ms, key=key)


def site(
    name: str, *endpoints: ModelEndpoint, gateway: str | None = None, zones: tuple[str, ...] = (), rtt_ms: float = 5.0
) -> Site:
    return Site(name, frozenset(zones), endpoints, gateway_url=gateway, rtt_ms={"site-a": rtt_ms})


def cloud(*endpoints: ModelEndpoint, rtt_ms: float = 40.0) -> Site:
    return Site("cloud", frozenset({"us"}), endpoints, rtt_ms={"*": rtt_ms}, tier=Tier.CLOUD)


def fleet(*sites: Site, cloud: Site | None = None, tenants: tuple[Tenant, ...] = ()) -> Fleet:
    return Fleet("test", sites, cloud, tenants)


def router(of: Fleet, clock: ManualClock | None = None, policy: RoutingPolicy | None = None) -> RequestRouter:
    """The router of ingress site-a."""
    return RequestRouter(of, "site-a", policy or RoutingPolicy(), clock or ManualClock(), Random(1))


def record(of: RequestRouter, decision_id: str = "dec-site-a-0-1", model: str = "m") -> DecisionRecord:
    """A decision's record as it stands before the decision."""
    constraints = Constraints(model)
    candidates = of.candidates(constraints)
    return DecisionRecord(
        decision_id,
        1_700_000_000_000,
        "chat.completions",
        "demo",
        constraints,
        Demand(1000.0),
        candidates,
        tuple(candidates.costs_ms),
        candidates.terms,
        of.table.version,
    )


def head(method: str = "POST", target: str = "/v1/chat/completions", version: str = "1.1", **headers: str) -> Head:
    """A parsed head; `_` in a header's name stands for `-`."""
    pairs = [(b"host", b"gateway")]
    pairs += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Head(method.encode(), target.encode(), pairs, version, True)
