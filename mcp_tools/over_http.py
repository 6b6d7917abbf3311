"""A fleet as people's clients reach it: the fleet API over HTTP, with the caller's own token."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from edgemind.domain.agent_memory import MemoryKind, Recollection, Wanted
from edgemind.domain.fleet_status import DecisionPage, DrainStatus, FleetStatus, ModelList, SiteStatus
from edgemind.domain.membership import SERVING
from edgemind.domain.swarm.records import Action
from edgemind.domain.swarm.summaries import RoundPage
from edgemind.domain.swarm.voter import SiteLoad
from edgemind.domain.thresholds import Thresholds
from edgemind.entrypoints.controller.round_shapes import AskedRound, RoundShape
from edgemind.entrypoints.exit_codes import Refused
from edgemind.entrypoints.fleet_client import FleetClient, FleetUnreachable
from edgemind.errors import PermanentError, UpstreamUnreachable
from edgemind.services.take_notes import Logged, Remembered

T = TypeVar("T")
FLEET, SITE, MODELS = TypeAdapter(FleetStatus), TypeAdapter(SiteStatus), TypeAdapter(ModelList)
DECISIONS, DRAIN = TypeAdapter(DecisionPage), TypeAdapter(DrainStatus)
ROUNDS, ROUND, ASKED = TypeAdapter(RoundPage), TypeAdapter(RoundShape), TypeAdapter(AskedRound)
RECALLED, REMEMBERED, LOGGED = TypeAdapter(Recollection), TypeAdapter(Remembered), TypeAdapter(Logged)
LOOKED_BACK = 100
"""So many rounds are looked through for the last change: most decide that all stays as it is."""
THREADS = 8
"""Requests under way at once. A fleet that hangs holds a thread for the client's 10 s, then it is free again."""


class FleetOverHttp:
    """`FleetSource` over a FleetClient. What a fleet answers is checked: PermanentError names what is malformed."""

    def __init__(self, client: FleetClient, threads: ThreadPoolExecutor, thresholds: Thresholds | None = None) -> None:
        self._thresholds = thresholds
        self._client = client
        self._threads = threads

    @property
    def thresholds(self) -> Thresholds | None:
        return self._thresholds

    async def fleet(self, local: bool = False) -> FleetStatus:
        return await self._typed(FLEET, lambda: self._client.get("fleet"))

    async def site(self, name: str) -> SiteStatus:
        return await self._typed(SITE, lambda: self._client.get("sites", name))

    async def loads(self, model: str) -> Mapping[str, SiteLoad]:
        fleet = await self.fleet()
        held = ((site, one) for site in fleet.sites for one in site.models if one.model == model)
        return {
            site.name: SiteLoad(
                one.slots, float(one.in_flight), one.replicas, one.ready and site.state in SERVING, one.max_replicas
            )
            for site, one in held
        }

    async def since_change_ms(self) -> float | None:
        fleet, page = await asyncio.gather(self.fleet(), self.rounds(LOOKED_BACK, None))
        changes = (one for one in page.rounds if one.outcome not in {None, Action.KEEP.name})
        last = next(changes, None)
        if last is None:
            return None
        # Two machines' wall clocks: what comes out negative is no age.
        return max(0.0, fleet.at_ms - last.at_ms - (last.decided_ms or last.learned_ms or 0.0))

    async def models(self) -> ModelList:
        return await self._typed(MODELS, lambda: self._client.get("models"))

    async def decisions(self, limit: int, cursor: str | None) -> DecisionPage:
        return await self._typed(DECISIONS, lambda: self._client.get("decisions", limit=limit, cursor=cursor))

    async def decision(self, decision_id: str) -> Mapping[str, object]:
        return await self._asked(lambda: self._client.get("decisions", decision_id))

    async def rounds(self, limit: int, cursor: str | None, local: bool = False) -> RoundPage:
        scope = "site" if local else "fleet"
        return await self._typed(ROUNDS, lambda: self._client.get("rounds", limit=limit, cursor=cursor, scope=scope))

    async def round(self, fence: str) -> RoundShape:
        return await self._typed(ROUND, lambda: self._client.get("rounds", fence))

    async def ask_swarm(self, model: str, replicas: int | None = None) -> AskedRound:
        about = {"model": model} if replicas is None else {"model": model, "replicas": replicas}
        return await self._typed(ASKED, lambda: self._client.post("rounds", body=about))

    async def recall(self, wanted: Wanted) -> Recollection:
        kind = wanted.kind.value if wanted.kind else None
        query = {"text": wanted.text, "kind": kind, "site": wanted.site, "limit": wanted.limit}
        times = {"since_ms": wanted.since_ms, "until_ms": wanted.until_ms}
        return await self._typed(RECALLED, lambda: self._client.get("memories", **query, **times))

    async def remember(self, text: str, kind: MemoryKind, fence: str | None) -> Remembered:
        note = {"text": text, "kind": kind.value, "fence": fence}
        return await self._typed(REMEMBERED, lambda: self._client.post("memories", body=note))

    async def log_event(self, event: str, fence: str | None) -> Logged:
        return await self._typed(LOGGED, lambda: self._client.post("events", body={"event": event, "fence": fence}))

    async def drain(self, name: str, draining: bool) -> DrainStatus:
        verb = "drain" if draining else "undrain"
        return await self._typed(DRAIN, lambda: self._client.post("sites", name, verb))

    async def _asked(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        except FleetUnreachable as exc:
            raise UpstreamUnreachable(exc.message) from exc
        except Refused as exc:
            raise PermanentError(exc.message) from exc

    async def _typed(self, shape: TypeAdapter[T], ask: Callable[[], dict[str, Any]]) -> T:
        document = await self._asked(ask)
        try:
            checked = shape.validate_python(document)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise PermanentError(
                f"the answer of the fleet at {self._client.url} is malformed ({place}: {first['msg']}): "
                "is its controller of another version?"
            ) from exc
        return checked
