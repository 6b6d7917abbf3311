"""Fleets as the fleet API tells of them, for the page's tests."""

from typing import Any

from edgemind.domain.fleet_status import FleetStatus, GatewayStatus, ModelStatus, SiteStatus
from edgemind.domain.membership import SiteState
from edgemind.domain.worker_reports import GatewayCounters

AT_MS = 1_767_225_600_000


def counters(requests: int = 0, **changes: Any) -> GatewayCounters:
    return GatewayCounters(**{"requests": requests, "ok": requests, **changes})


def site(name: str, state: SiteState = SiteState.ALIVE, **changes: Any) -> SiteStatus:
    counted = changes.pop("counters", counters())
    gateway = GatewayStatus(1, False, 1, counted) if counted else None
    model = ModelStatus("detector", 2, 4, 15.0, True, 5.0)
    fields = {"models": [model], "requests_per_s": 5.0, "table_age_ms": 120.0, "gateway": gateway, **changes}
    return SiteStatus(name=name, state=state, zones=["local"], **fields)


def fleet(*sites: SiteStatus, at_ms: int = AT_MS) -> FleetStatus:
    return FleetStatus("test", "site-a", at_ms, 5.0, list(sites))
