"""What the fleet API says: the demo sees its fleet through the same door as everybody else."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from edgemind.adapters.http_calls import HttpCalls
from edgemind.domain.membership import SiteState
from edgemind.domain.operations_status import AlertPage
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.errors import UpstreamFailed
from edgemind.services.demo_course import Votes

READ_EVERY_S = 0.5
_ALERTS = TypeAdapter(AlertPage)
_ROUNDS = TypeAdapter(RoundPage)
GIVEN_UP = frozenset({SiteState.SUSPECTED.value, SiteState.GONE.value})


@dataclass(frozen=True, slots=True)
class SiteReading:
    """One site as the fleet API shows it. `table_age_ms` is None while its controller does not answer."""

    name: str
    state: str
    in_flight: int
    slots: int
    table_age_ms: float | None
    complete: bool
    """Its gateway reports, it has a table, and every model is ready."""


class FleetApi:
    """`controllers` are the URLs to ask, any of which will do."""

    def __init__(self, calls: HttpCalls, controllers: Mapping[str, str], token: str) -> None:
        self._calls = calls
        self.controllers = controllers
        self._headers = (("authorization", f"Bearer {token}"),)

    async def read(self, site: str) -> tuple[SiteReading, ...] | None:
        """The fleet as the controller of `site` sees it; None if that one does not answer."""
        document = await self._get(site, "/edgemind/v1/fleet")
        return None if document is None else tuple(_reading(one) for one in document["sites"])

    async def state_of(self, site: str, asked: str) -> str | None:
        """The state of `site` as the controller of `asked` sees it."""
        document = await self._get(asked, f"/edgemind/v1/sites/{site}")
        return None if document is None else str(document["state"])

    async def rounds(self, limit: int) -> RoundPage | None:
        """The swarm's newest rounds, from the first controller that answers; None if none does."""
        for site in self.controllers:
            document = await self._get(site, f"/edgemind/v1/rounds?limit={limit}")
            if document is not None:
                return _ROUNDS.validate_python(document)
        return None

    async def alerts(self) -> AlertPage | None:
        """Everybody's, from the first controller that answers; None if none does."""
        for site in self.controllers:
            document = await self._get(site, "/edgemind/v1/alerts")
            if document is not None:
                return _ALERTS.validate_python(document)
        return None

    async def votes(self, fence: str) -> Votes:
        """Of one round, by site; of sites that do not answer there are none."""
        for site in self.controllers:
            document = await self._get(site, f"/edgemind/v1/rounds/{fence}")
            if document is not None:
                votes: Votes = document["votes"]
                return votes
        return {}

    async def _get(self, site: str, path: str) -> dict[str, Any] | None:
        try:
            answer = await self._calls.call("GET", self.controllers[site] + path, timeout_s=1.0, headers=self._headers)
        except UpstreamFailed:
            return None
        if answer.status != 200:
            return None
        document: dict[str, Any] = json.loads(answer.body)
        return document


class FleetWatch:
    """Keeps the latest reading; asks the first controller that answers."""

    def __init__(self, api: FleetApi) -> None:
        self._api = api
        self.latest: tuple[SiteReading, ...] = ()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.latest = await self._read_any() or self.latest
            await asyncio.sleep(READ_EVERY_S)

    async def _read_any(self) -> tuple[SiteReading, ...] | None:
        for site in self._api.controllers:
            reading = await self._api.read(site)
            if reading is not None:
                return reading
        return None


def incomplete(readings: Sequence[SiteReading] | None, sites: Sequence[str]) -> list[str]:
    """The sites that do not take part yet."""
    complete = {one.name for one in readings or () if one.complete}
    return [site for site in sites if site not in complete]


def _reading(site: Mapping[str, Any]) -> SiteReading:
    models = site["models"]
    age_ms = site.get("table_age_ms")
    in_service = site["state"] == SiteState.ALIVE.value and site.get("gateway") is not None and age_ms is not None
    return SiteReading(
        name=site["name"],
        state=site["state"],
        in_flight=sum(model["in_flight"] for model in models),
        slots=sum(model["slots"] for model in models),
        table_age_ms=age_ms,
        complete=in_service and bool(models) and all(model["ready"] for model in models),
    )
