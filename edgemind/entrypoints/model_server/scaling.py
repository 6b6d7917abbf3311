"""Replicas of simulated models at run time, asked for over HTTP by whoever runs the site on this machine.

`POST /edgemind/v1/scale` {"model", "replicas", "fence": "1.17", "version": absent or what was read} sets an absolute
number; 409 `stale_fence` if a later round has set one, 409 `changed_since` if the version is another, and then nothing
changed. `GET` shows every model.
"""

import asyncio
import ipaddress
from collections.abc import Mapping

from edgemind.adapters.scaler.replica_file import ChangedSince, ReplicaFile, Wanted
from edgemind.domain.swarm.records import Fence
from edgemind.domain.wire import DocumentInvalid, Fields
from edgemind.entrypoints.model_server.exchange import Exchange, Refused
from edgemind.entrypoints.model_server.openai_bodies import parse_object
from edgemind.entrypoints.model_server.service import Station, Stations
from edgemind.errors import EdgeMindError, PermanentError, StoreUnavailable
from edgemind.ports.scaler import StaleFence

SCALE_PATH = "/edgemind/v1/scale"


class Scaling:
    """The stations of one server, as the file says. The file is changed first: what was told to be done stays done."""

    def __init__(self, stations: Stations, file: ReplicaFile) -> None:
        self._stations = stations
        self._file = file
        self._wanted: dict[str, Wanted] = {}
        self._turn = asyncio.Lock()

    def restore(self) -> None:
        """At the start of the process; a number that is no longer allowed is cut to the most there may be."""
        known = self._file.read()
        for station in self._stations:
            wanted = known.get(station.model.name, Wanted())
            self._wanted[station.model.name] = wanted
            station.start_with(min(wanted.replicas, station.model.max_replicas))

    async def show(self, exchange: Exchange) -> None:
        _check_origin(exchange)
        await exchange.answer(200, {"models": {station.model.name: self._shown(station) for station in self._stations}})

    async def scale(self, exchange: Exchange) -> None:
        _check_origin(exchange)
        station, replicas, fence, seen = self._asked(parse_object(await exchange.body()))
        # A caller that hangs up must not leave the file changed and the station not.
        await asyncio.shield(self._apply(station, replicas, fence, seen))
        await exchange.answer(200, self._shown(station))

    async def _apply(self, station: Station, replicas: int, fence: Fence, seen: int | None) -> None:
        name = station.model.name
        # One after the other, file and station together: else the last to write might not be the last to be applied.
        async with self._turn:
            try:
                wanted = await asyncio.to_thread(self._file.change, name, replicas, fence, seen)
            except EdgeMindError as exc:
                raise _refused(exc) from exc
            self._wanted[name] = wanted
            station.scale(replicas)

    def _asked(self, document: Mapping[str, object]) -> tuple[Station, int, Fence, int | None]:
        try:
            fields = Fields(document, "the request")
            station = self._stations.find(fields.text("model"))
            replicas, fence = fields.count("replicas"), Fence.parse(fields.text("fence"))
            seen = fields.count("version") if document.get("version") is not None else None
        except (DocumentInvalid, PermanentError) as exc:
            raise Refused(400, str(exc), "wrong_type") from exc
        most = station.model.max_replicas
        if not 1 <= replicas <= most:
            raise Refused(400, f"replicas of {station.model.name} must be from 1 to {most}", "out_of_range", "replicas")
        return station, replicas, fence, seen

    def _shown(self, station: Station) -> dict[str, object]:
        wanted = self._wanted[station.model.name]
        return {
            "model": station.model.name,
            "replicas": min(wanted.replicas, station.model.max_replicas),
            "ready": station.replicas,
            "fence": str(wanted.fence) if wanted.fence else None,
            "version": wanted.version,
        }


def from_here(exchange: Exchange) -> bool:
    """Whether the client is on this machine."""
    client = exchange.scope.get("client")
    return client is not None and ipaddress.ip_address(client[0]).is_loopback


def _check_origin(exchange: Exchange) -> None:
    if not from_here(exchange):
        raise Refused(403, "only this machine may see and change its replicas", "loopback_only")


def _refused(error: EdgeMindError) -> Refused:
    if isinstance(error, StaleFence):
        return Refused(409, str(error), "stale_fence")
    if isinstance(error, ChangedSince):
        return Refused(409, str(error), "changed_since")
    return Refused(503 if isinstance(error, StoreUnavailable) else 500, str(error), "not_kept")
