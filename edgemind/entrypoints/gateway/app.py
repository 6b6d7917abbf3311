"""The gateway's ASGI application: request -> admission -> decision -> relay -> receipt."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import orjson
from uvicorn._types import HTTPScope

from edgemind.domain.limits import Limits
from edgemind.domain.requests import ShedReason
from edgemind.domain.routing.picker import Shed
from edgemind.entrypoints.gateway.admission import Admission, Caller
from edgemind.entrypoints.gateway.apis import INFER, OPENAI_APIS, Api, invalid, read_model
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import load_line, receipt
from edgemind.entrypoints.gateway.refusals import Refusal, refusal_body, refusal_headers
from edgemind.entrypoints.gateway.relay import CLIENT_CLOSED_REQUEST, HungUp, NobodyAnswered, Relay
from edgemind.ports.clock import Clock
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import DecisionRecord, RecentDecisions
from edgemind.services.route_request import RequestRouter
from edgemind.services.sessions import Sessions

Receive = Callable[[], Awaitable[Any]]
HeaderMap = dict[bytes, bytes]

SHED_MESSAGES = {
    ShedReason.NO_HEALTHY_CANDIDATE: "No site that serves '{model}' is healthy just now; try again in {wait} s.",
    ShedReason.DEADLINE_UNREACHABLE: "No site can answer '{model}' within {deadline:g} ms, even with nothing queued; "
    "allow a longer 'x-edgemind-deadline-ms'.",
    ShedReason.OVERLOADED: "Every site that serves '{model}' is too busy for this deadline and priority; "
    "try again in {wait} s.",
    ShedReason.RESIDENCY_UNSATISFIABLE: "No site in the requested residency serves '{model}'; it is never sent elsewhere.",
}


@dataclass(slots=True)
class Parts:
    """What one worker's application is made of; `admission` and `limits` are replaced when the configuration is."""

    router: RequestRouter
    relay: Relay
    admission: Admission
    limits: Limits
    decisions: RecentDecisions
    sessions: Sessions
    stats: GatewayStats
    clock: Clock
    rng: Random
    id_prefix: str


class GatewayApp:
    """Bare ASGI. Runs on GatewayProtocol only: the relay writes through its exchange."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._log = logging.getLogger("edgemind.gateway")

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Callable[[Any], Awaitable[None]]) -> None:
        exchange = cast(Exchange, cast(dict[str, Any], scope["extensions"])["edgemind.exchange"])
        headers: HeaderMap = dict(scope["headers"])
        path = scope["path"]
        try:
            api = OPENAI_APIS.get(path)
            model_in_path = None
            if api is None:
                api, model_in_path = self._match(path)
            if api is None:
                self._look_up(exchange, scope, headers)
                return
            if scope["method"] != "POST":
                raise _method_not_allowed("POST")
            await self._infer(exchange, api, model_in_path, headers, receive)
        except Refusal as refusal:
            self.parts.stats.refused += 1
            answer(exchange, refusal)
        except HungUp:
            self.parts.stats.hung_up += 1

    # Inference

    async def _infer(
        self, exchange: Exchange, api: Api, model_in_path: str | None, headers: HeaderMap, receive: Receive
    ) -> None:
        parts = self.parts
        arrived_s = parts.clock.monotonic_s()
        caller = parts.admission.caller(headers)
        body = await _read_body(receive)
        model = read_model(api, body, model_in_path, _json_length(headers))
        router = parts.router
        parts.admission.authorize(caller, model, router.knows(model), router.models)
        parts.admission.charge(caller)
        record = self._decision_record(api, caller, model, headers)
        await self._route(exchange, body, record, headers, arrived_s, forwarded=caller.forwarded_by is not None)

    def _decision_record(self, api: Api, caller: Caller, model: str, headers: HeaderMap) -> DecisionRecord:
        parts = self.parts
        constraints = parts.admission.constraints(caller, model, headers)
        session = headers.get(b"x-edgemind-session") or headers.get(b"x-session-id")
        session_site = None if session is None else parts.sessions.site_of(session, model, parts.clock.monotonic_s())
        demand = parts.admission.demand(headers, session_site)
        candidates = parts.router.candidates(constraints)
        record = DecisionRecord(
            decision_id=f"{parts.id_prefix}{parts.rng.getrandbits(64):016x}",
            at_ms=parts.clock.wall_ms(),
            api=api.name,
            tenant=caller.tenant.name if caller.forwarded_by is None else f"(from {caller.forwarded_by})",
            constraints=constraints,
            demand=demand,
            candidates=candidates,
            costs_ms=candidates.costs_ms.copy(),
            terms=candidates.terms.copy(),
            table_version=parts.router.table.version,
        )
        parts.decisions.add(record)
        return record

    async def _route(
        self, exchange: Exchange, body: bytes, record: DecisionRecord, headers: HeaderMap, arrived_s: float, *, forwarded: bool
    ) -> None:
        parts, stats, model = self.parts, self.parts.stats, record.constraints.model
        stats.requests += 1
        if not forwarded:
            stats.arrivals[model] += 1
        choice = parts.router.decide(record.candidates, record.demand)
        if isinstance(choice, Shed):
            record.reason, record.status = f"shed:{choice.reason}", 403 if _is_residency(choice) else 503
            stats.shed += 1
            stats.by_reason[record.reason] += 1
            answer(exchange, _shed_refusal(choice, record), receipt(record) + self._load(model, forwarded))
            return
        try:
            await parts.relay.relay(exchange, body, choice, record, arrived_s, forwarded=forwarded)
        except HungUp:
            record.status = CLIENT_CLOSED_REQUEST
            raise
        except NobodyAnswered as exc:
            record.status = 502
            stats.failed += 1
            message = f"The model server failed before it answered, and nobody else could take over in time: {exc}."
            refusal = Refusal(502, "server_error", "upstream_failed", message, retry_after_s=1)
            answer(exchange, refusal, receipt(record) + self._load(model, forwarded))
            return
        assert record.chosen is not None
        stats.routed(record.chosen.site.name, record.reason, model)
        session = headers.get(b"x-edgemind-session") or headers.get(b"x-session-id")
        if session is not None:
            parts.sessions.remember(session, model, record.chosen.site.name, parts.clock.monotonic_s())

    def _load(self, model: str, forwarded: bool) -> bytes:
        return load_line(*self.parts.router.local_load(model)) if forwarded else b""

    # Look-ups

    def _match(self, path: str) -> tuple[Api | None, str | None]:
        if path.startswith("/v2/models/") and path.endswith("/infer"):
            return INFER, path[len("/v2/models/") : -len("/infer")]
        return None, None

    def _look_up(self, exchange: Exchange, scope: HTTPScope, headers: HeaderMap) -> None:
        """GET routes. Health is open to all; what is served is shown to those with a key."""
        path = scope["path"]
        if path not in {"/v2/health/live", "/v2/health/ready", "/v1/models"} and not path.startswith("/v2/models/"):
            raise _not_found(path)
        if scope["method"] not in {"GET", "HEAD"}:
            raise _method_not_allowed("GET, HEAD")
        router = self.parts.router
        if path.startswith("/v2/health/"):
            answer_json(exchange, 200, {path.rsplit("/", 1)[1]: True})
            return
        caller = self.parts.admission.caller(headers)
        usable = [model for model in router.models if caller.tenant.may_use(model)]
        if path == "/v1/models":
            data = [{"id": model, "object": "model", "created": 0, "owned_by": "edgemind"} for model in usable]
            answer_json(exchange, 200, {"object": "list", "data": data})
            return
        model, ready = path[len("/v2/models/") :].removesuffix("/ready"), path.endswith("/ready")
        self.parts.admission.authorize(caller, model, router.knows(model), router.models)
        served = router.is_served(model)
        if ready:
            answer_json(exchange, 200 if served else 503, {"name": model, "ready": served})
        else:
            answer_json(exchange, 200, {"name": model, "platform": "edgemind", "inputs": [], "outputs": []})


async def _read_body(receive: Receive) -> bytes:
    """The whole body; the protocol bounds its size. Raises HungUp if the client leaves in the middle of it."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise HungUp
    if not message["more_body"]:
        return cast(bytes, message["body"])
    chunks = [message["body"]]
    while message["more_body"]:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        chunks.append(message["body"])
    return b"".join(chunks)


def _json_length(headers: HeaderMap) -> int | None:
    raw = headers.get(b"inference-header-content-length")
    if raw is None:
        return None
    if not raw.isdigit() or len(raw) > 12:
        name = "inference-header-content-length"
        raise invalid(name, f"The header '{name}' must be a number of bytes.")
    return int(raw)


def _is_residency(shed: Shed) -> bool:
    return shed.reason is ShedReason.RESIDENCY_UNSATISFIABLE


def _shed_refusal(shed: Shed, record: DecisionRecord) -> Refusal:
    text = SHED_MESSAGES[shed.reason].format(
        model=record.constraints.model, deadline=record.demand.deadline_ms, wait=shed.retry_after_s
    )
    if _is_residency(shed):
        param = "x-edgemind-residency"
        return Refusal(403, "permission_error", shed.reason.value, text, param, retry_helps=False)
    return Refusal(
        503,
        "server_error",
        shed.reason.value,
        text,
        retry_after_s=shed.retry_after_s if shed.retry_helps else None,
        retry_helps=shed.retry_helps,
    )


def _method_not_allowed(allowed: str) -> Refusal:
    message = f"This path takes {allowed}."
    headers = ((b"allow", allowed.encode()),)
    return Refusal(405, "invalid_request_error", "method_not_allowed", message, headers=headers)


def _not_found(path: str) -> Refusal:
    message = (
        f"There is nothing at '{path[:100]}'. Inference is at /v1/chat/completions, /v1/completions, /v1/embeddings "
        "and /v2/models/{model}/infer; GET /v1/models lists the models."
    )
    return Refusal(404, "invalid_request_error", "not_found", message)


def answer(exchange: Exchange, refusal: Refusal, extra: bytes = b"") -> None:
    """Answer with an error of our own; nothing if the response has already begun."""
    if exchange.response_started:
        return
    body = refusal_body(refusal)
    lines = [b"%b: %b\r\n" % pair for pair in refusal_headers(refusal, body) if pair[0] != b"content-length"]
    head = exchange.scope["method"] == "HEAD"
    exchange.start(refusal.status, b"".join(lines) + extra, b"" if head else body, length=len(body), complete=True)


def answer_json(exchange: Exchange, status: int, value: object) -> None:
    body = orjson.dumps(value)
    head = exchange.scope["method"] == "HEAD"
    lines = b"content-type: application/json\r\n"
    exchange.start(status, lines, b"" if head else body, length=len(body), complete=True)
