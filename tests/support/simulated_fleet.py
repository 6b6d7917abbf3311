"""A fleet API of many sites, simulated and saying so: numbers move with the clock, nothing stands behind them.

`python -m tests.support.simulated_fleet --sites 50 --port 8200` serves one to look at.
"""

import argparse
import json
import math
import time
from collections.abc import Callable

import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edgemind.domain.fleet import Position
from edgemind.domain.fleet_status import DecisionPage, FleetStatus, GatewayStatus, ModelStatus, SiteStatus
from edgemind.domain.kpi import KPIS, Level, Tier
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
from edgemind.domain.swarm.summaries import RoundPage, RoundSummary
from edgemind.domain.worker_reports import DecisionSummary, GatewayCounters

SERIES = ("requests_per_s", "in_flight", "busy_ratio", "added_ms_p99", "shed_per_s")
STEP_MS, STEPS = 10_000, 90
VALUES = {"slo_attainment_ratio": 0.9962, "availability_ratio": 0.9997, "metro_cache_hit_ratio": 0.93}


class SimulatedFleet:
    """`silent` of the sites do not answer. `now_ms` is wall time."""

    def __init__(self, sites: int, silent: int = 0, now_ms: Callable[[], float] = lambda: time.time() * 1000) -> None:
        self._names = [f"sim-{place:02}" for place in range(sites)]
        self._silent = set(self._names[:silent])
        self._now_ms = now_ms
        self.documents: dict[str, Callable[[], object]] = {
            "fleet": self.fleet,
            "kpis": self.kpis,
            "alerts": self.alerts,
            "series": self.series,
            "rounds": self.rounds,
            "decisions": self.decisions,
            "whoami": lambda: {"role": "viewer"},
        }

    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            make = self.documents.get(request.path_params["name"])
            if make is None:
                missing = {"error": {"code": "not_found", "message": "the simulated fleet does not have this"}}
                return Response(json.dumps(missing), 404, media_type="application/json")
            value = make()
            body = json.dumps(value).encode() if isinstance(value, dict) else TypeAdapter(type(value)).dump_json(value)
            return Response(body, media_type="application/json")

        return Starlette(routes=[Route("/edgemind/v1/{name}", answer)])

    def fleet(self) -> FleetStatus:
        sites = [self._site(place, name) for place, name in enumerate(self._names)]
        return FleetStatus(
            "simulated", self._names[-1], int(self._now_ms()), sum(s.requests_per_s for s in sites), sites
        )

    def kpis(self) -> KpiList:
        listed = []
        for kpi in KPIS:
            value = VALUES.get(kpi.name)
            wave = [None if value is None else min(1.0, value + 0.002 * math.sin(minute)) for minute in range(15)]
            why = "simulated: nothing measures it" if value is None else "simulated"
            level, target = kpi.level(value, Tier.LOCAL), kpi.limits[Tier.LOCAL].target
            listed.append(
                KpiStatus(
                    kpi.name, kpi.title, kpi.unit, kpi.definition, kpi.good.value, value, target, level, why, list(wave)
                )
            )
        return KpiList(Tier.LOCAL, self._names[-1], int(self._now_ms()), "simulated", listed)

    def alerts(self) -> AlertPage:
        since_ms = int(self._now_ms()) - 95_000
        return AlertPage(
            [
                AlertStatus(
                    name, "site_report_age_ms", Level.CRITICAL, AlertState.FIRING, name,
                    f"{name} has told nothing for 95 s (simulated)", "runbooks/site-report-age-ms.md", since_ms,
                )
                for name in sorted(self._silent)
            ],
            sorted(self._silent),
        )  # fmt: skip

    def series(self) -> SeriesPage:
        last = int(self._now_ms()) // STEP_MS
        sites = [
            SiteSeries(name, {kind: self._row(place, order, last) for order, kind in enumerate(SERIES)})
            for place, name in enumerate(self._names)
            if name not in self._silent
        ]
        return SeriesPage((last - STEPS + 1) * STEP_MS, STEP_MS, STEPS, sites, sorted(self._silent))

    def rounds(self) -> RoundPage:
        newest = int(self._now_ms()) // 60_000
        return RoundPage(
            [
                RoundSummary(
                    fence=f"1.{newest - ago}", epoch=1, n=newest - ago, at_ms=(newest - ago) * 60_000,
                    site=self._names[-1], told=f"run 2 replicas of sim-model-0 at {self._names[-1]}",
                    model="sim-model-0", breached=self._names[-1], outcome="SCALE_OUT" if ago % 2 else "KEEP",
                    decided_ms=42.0, ballots=3, voters=3, coordinator=self._names[-1],
                )
                for ago in range(14)
            ]
        )  # fmt: skip

    def decisions(self) -> DecisionPage:
        now_ms = int(self._now_ms())
        return DecisionPage(
            [
                DecisionSummary(
                    f"dec-{self._names[-1]}-0-{now_ms // 100 - back:016x}", now_ms - 100 * back, "sim-model-0",
                    "simulated", self._names[-1], "table", 12.0, 13.0, 200,
                )
                for back in range(20)
            ]
        )  # fmt: skip

    def _site(self, place: int, name: str) -> SiteStatus:
        wave = self._wave(place, self._now_ms() / STEP_MS)
        requests = int(self._now_ms() / 1000.0 % 1e6 * 20)
        counters = GatewayCounters(
            requests, requests, 0, 0, requests_per_s=20 * wave, added_ms_p50=1.0 + wave, added_ms_p99=20 + 40 * wave,
            by_site={name: requests}, by_reason={"table": requests},
        )  # fmt: skip
        models = [ModelStatus(f"sim-model-{k}", int(8 * wave), 8, 20.0, True, 5.0) for k in range(4)]
        return SiteStatus(
            name, SiteState.SUSPECTED if name in self._silent else SiteState.ALIVE, ["simulated"], models, 20 * wave,
            gateway=GatewayStatus(1, False, 1, counters), table_age_ms=120.0, rtt_ms=5.0,
            position=Position(47.8 + 6.4 * (place // 10) / 5 + 0.1 * (place % 3), 6.6 + 7.4 * (place % 10) / 10),
        )  # fmt: skip

    def _row(self, place: int, order: int, last: int) -> list[float | None]:
        scale = (20.0, 30.0, 1.0, 60.0, 0.2)[order]
        return [round(scale * self._wave(place + order, last - STEPS + 1 + at), 3) for at in range(STEPS)]

    def _wave(self, place: int, at: float) -> float:
        return 0.5 + 0.45 * math.sin(at / 7.0 + place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=50)
    parser.add_argument("--silent", type=int, default=0)
    parser.add_argument("--port", type=int, default=8200)
    asked = parser.parse_args()
    uvicorn.run(SimulatedFleet(asked.sites, asked.silent).app(), host="127.0.0.1", port=asked.port, log_level="warning")


if __name__ == "__main__":
    main()
