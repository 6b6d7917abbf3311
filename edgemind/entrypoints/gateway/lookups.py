"""The GET routes of a gateway: health for everybody, what is served for those with a key."""

from collections.abc import Callable

from edgemind.entrypoints.gateway.admission import Admission
from edgemind.entrypoints.gateway.answers import answer_json
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.refusals import method_not_allowed, not_found
from edgemind.services.route_request import RequestRouter

HEALTH = {"/v2/health/live": "live", "/v2/health/ready": "ready"}
MODEL_PREFIX = "/v2/models/"


class LookUps:
    """Raises Refusal for what it does not know, or does not show this caller."""

    def __init__(self, router: RequestRouter, admission: Callable[[], Admission]) -> None:
        self._router = router
        self._admission = admission

    def answer(self, exchange: Exchange) -> None:
        head = exchange.head
        path = head.path
        if path not in HEALTH and path != "/v1/models" and not path.startswith((MODEL_PREFIX, "/v1/models/")):
            raise not_found(path)
        if head.method not in {b"GET", b"HEAD"}:
            raise method_not_allowed("GET, HEAD")
        if path in HEALTH:
            answer_json(exchange, 200, {HEALTH[path]: True})
            return
        caller = self._admission().caller(head.header)
        if path == "/v1/models":
            data = [_openai_model(model) for model in self._router.models if caller.tenant.may_use(model)]
            answer_json(exchange, 200, {"object": "list", "data": data})
            return
        ready = path.endswith("/ready")
        model = path.removeprefix("/v1/models/").removeprefix(MODEL_PREFIX).removesuffix("/ready")
        self._admission().authorize(caller, model, self._router)
        served = self._router.is_served(model)
        if path.startswith("/v1/models/"):
            answer_json(exchange, 200, _openai_model(model))
        elif ready:
            answer_json(exchange, 200 if served else 503, {"name": model, "ready": served})
        else:
            answer_json(exchange, 200, {"name": model, "platform": "edgemind", "inputs": [], "outputs": []})


def _openai_model(model: str) -> dict[str, object]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "edgemind"}
