"""Simulated detectors in the Open Inference Protocol."""

from edgemind.entrypoints.model_server import oip_bodies
from edgemind.entrypoints.model_server.exchange import Exchange, Refused
from edgemind.entrypoints.model_server.service import Station, Stations

MODELS_PREFIX = "/v2/models/"


class SimulatedOip:
    """Handlers over the models of one server."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    async def live(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"live": True})

    async def ready(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"ready": True})

    async def model(self, exchange: Exchange) -> None:
        """Everything under `/v2/models/`. A model's name may hold slashes, so the verb is read from the end."""
        rest = exchange.path.removeprefix(MODELS_PREFIX)
        name, _, verb = rest.rpartition("/")
        if verb not in ("infer", "ready"):
            name, verb = rest, ""
        station = self._stations.find(name)
        wanted = "POST" if verb == "infer" else "GET"
        if exchange.method != wanted:
            raise Refused(405, f"{exchange.path[:200]} takes {wanted}", "method_not_allowed")
        if verb == "infer":
            await self._infer(exchange, station)
        elif verb == "ready":
            await exchange.answer(200, {"name": station.model.name, "ready": True})
        else:
            await exchange.answer(200, oip_bodies.metadata(station.model.name))

    async def _infer(self, exchange: Exchange, station: Station) -> None:
        body = await exchange.body()
        request = oip_bodies.infer_request(body, exchange.header(oip_bodies.JSON_LENGTH_HEADER))
        answer = oip_bodies.infer_answer(station.model.name, request, station.model.detect(body))
        await station.answer_in_turn(exchange, answer)
