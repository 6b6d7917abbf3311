"""The simulated model server: one application with every simulated model of a site, or of the simulated cloud.

`POST /simulated/brownout` {"factor": 3.0, "model": "..." or absent for all} makes models slow, as a hot or throttled
host does; factor 1 ends it. `GET /simulated/stats` tells slots, queue and counts by model. Replicas: scaling.py.
"""

from edgemind.entrypoints.model_server.application import Application
from edgemind.entrypoints.model_server.exchange import Exchange, Refused
from edgemind.entrypoints.model_server.openai_bodies import parse_object
from edgemind.entrypoints.model_server.scaling import SCALE_PATH, Scaling, from_here
from edgemind.entrypoints.model_server.service import Stations
from edgemind.entrypoints.model_server.simulated_oip import MODELS_PREFIX, SimulatedOip
from edgemind.entrypoints.model_server.simulated_openai import SimulatedOpenAI

MAX_FACTOR = 1000


def simulated_app(stations: Stations, scaling: Scaling) -> Application:
    openai, oip, control = SimulatedOpenAI(stations), SimulatedOip(stations), SimulatedControl(stations)
    routes = {
        ("POST", "/v1/chat/completions"): openai.chat,
        ("POST", "/v1/completions"): openai.complete,
        ("POST", "/v1/embeddings"): openai.embed,
        ("GET", "/v1/models"): openai.list,
        ("GET", "/health"): control.health,
        ("GET", "/v2/health/live"): oip.live,
        ("GET", "/v2/health/ready"): oip.ready,
        ("POST", "/simulated/brownout"): control.brownout,
        ("GET", "/simulated/stats"): control.stats,
        ("GET", SCALE_PATH): scaling.show,
        ("POST", SCALE_PATH): scaling.scale,
    }
    return Application(routes, {MODELS_PREFIX: oip.model})


class SimulatedControl:
    """What scenarios do to a server, and see of it."""

    def __init__(self, stations: Stations) -> None:
        self._stations = stations

    async def health(self, exchange: Exchange) -> None:
        await exchange.answer(200, {"status": "ok", "simulated": True})

    async def stats(self, exchange: Exchange) -> None:
        by_model = {station.model.name: station.stats() for station in self._stations}
        await exchange.answer(200, {"simulated": True, "models": by_model})

    async def brownout(self, exchange: Exchange) -> None:
        """Service times drawn from now on are multiplied; those under way stay as they are."""
        if not from_here(exchange):
            raise Refused(403, "only this machine may slow its models down", "loopback_only")
        document = parse_object(await exchange.body())
        factor, model = document.get("factor"), document.get("model")
        if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor <= MAX_FACTOR:
            raise Refused(400, f"factor must be a number above 0, at most {MAX_FACTOR}", "wrong_type", "factor")
        if model is not None and not isinstance(model, str):
            raise Refused(400, "model must be a model's name; leave it out for all", "wrong_type", "model")
        slowed = list(self._stations) if model is None else [self._stations.find(model)]
        for station in slowed:
            station.model.slowdown = float(factor)
        await exchange.answer(200, {"factor": factor, "models": [station.model.name for station in slowed]})
