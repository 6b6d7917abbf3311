"""Fleets as the fleet API tells of them, for the page's tests."""

import json
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from edgemind.domain.fleet import Position
from edgemind.domain.fleet_status import DecisionPage, FleetStatus, GatewayStatus, ModelStatus, SiteStatus
from edgemind.domain.kpi import Level, Tier
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import (
    AlertPage,
    AlertState,
    AlertStatus,
    KpiList,
    KpiStatus,
    SeriesPage,
    SiteSeries,
)
from edgemind.domain.swarm.summaries import RoundPage, summary_of
from edgemind.domain.worker_reports import DecisionSummary, GatewayCounters
from tests.support.round_records import round_record

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


def many_sites(count: int, silent: int, name: str = "site") -> list[SiteStatus]:
    """The first `silent` of them do not answer. They lie on a grid over Germany."""
    return [
        site(
            f"{name}-{place:02}",
            SiteState.SUSPECTED if place < silent else SiteState.ALIVE,
            position=Position(47.6 + 6.8 * (place // 10) / 5, 6.5 + 8 * (place % 10) / 10),
        )
        for place in range(count)
    ]


def bad_day(word: str) -> dict[str, Any]:
    """What a fleet API says of 50 sites of which half are silent, a hundred alerts, and `word` in each name."""
    sites = many_sites(50, 25, word)
    alert = AlertStatus(
        "a", word, Level.CRITICAL, AlertState.FIRING, sites[0].name, word, word, AT_MS, value=1.0, limit=2.0, unit=word
    )
    kpi = KpiStatus(word, word, word, word, "below", 2.0, 1.0, Level.WARNING, word, [None, 1.0, 2.0])
    names = ("requests_per_s", "in_flight", "busy_ratio", "added_ms_p99", "shed_per_s")
    series = [SiteSeries(one.name, {name: [1.0, None] * 90 for name in names}) for one in sites[10:]]
    decision = DecisionSummary(f"dec-{word}", AT_MS, word, word, word, word, 1.0, 2.0, 599)
    summary = replace(summary_of(round_record()), told=word, model=word, breached=word, coordinator=word)
    documents: dict[str, object] = {
        "fleet": FleetStatus(word, word, AT_MS, 5.0, sites),
        "kpis": KpiList(Tier.LOCAL, word, AT_MS, word, [kpi]),
        "alerts": AlertPage([alert] * 100, [word]),
        "series": SeriesPage(AT_MS, 5000, 180, series),
        "decisions": DecisionPage([decision], None, [word]),
        "rounds": RoundPage([summary], None, [word]),
    }
    return {name: json.loads(TypeAdapter(type(value)).dump_json(value)) for name, value in documents.items()}
