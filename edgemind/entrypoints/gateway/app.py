"""What a gateway does with a request: admission -> candidates -> decision -> relay -> receipt."""

import logging
from dataclasses import dataclass
from random import Random

from edgemind.domain.limits import Limits
from edgemind.domain.routing.picker import Shed
from edgemind.entrypoints.gateway.admission import Admission, Caller, HeaderMap
from edgemind.entrypoints.gateway.apis import INFER, OPENAI_APIS, Api, json_length, read_model
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import load_line, receipt
from edgemind.entrypoints.gateway.lookups import LookUps
from edgemind.entrypoints.gateway.refusals import (
    Refusal,
    answer_refusal,
    internal_error,
    method_not_allowed,
    shed_refusal,
)
from edgemind.entrypoints.gateway.relay import Relay, Relays
from edgemind.ports.clock import Clock
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import DecisionRecord, RecentDecisions
from edgemind.services.route_request import RequestRouter
from edgemind.services.sessions import Sessions


@dataclass(slots=True)
class Parts:
    """What one worker's application is made of; `admission` and `limits` are replaced when the configuration is."""

    router: RequestRouter
    relays: Relays
    admission: Admission
    limits: Limits
    decisions: RecentDecisions
    sessions: Sessions
    stats: GatewayStats
    clock: Clock
    rng: Random
    id_prefix: str


class GatewayApp:
    """Serves whole requests, synchronously: it returns once the request is refused, shed or on its way upstream."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._look_ups = LookUps(parts.router, lambda: parts.admission)
        self._log = logging.getLogger("edgemind.gateway")
        parts.relays.on_answered = self._remember_session

    def preflight(self, exchange: Exchange) -> Refusal | None:
        """Before a large body is read: may this caller send one at all?"""
        try:
            self._parts.admission.caller(dict(exchange.headers))
        except Refusal as refusal:
            return refusal
        return None

    def serve(self, exchange: Exchange) -> None:
        headers = dict(exchange.headers)
        try:
            api, model_in_path = _match(exchange.path)
            if api is None:
                self._look_ups.answer(exchange, headers)
            elif exchange.method != b"POST":
                raise method_not_allowed("POST")
            else:
                self._infer(exchange, api, model_in_path, headers)
        except Refusal as refusal:
            self._parts.stats.refused += 1
            answer_refusal(exchange, refusal)
        except Exception:
            # The edge of the process: one request's bug must not be another's, and its client gets a whole answer.
            self._log.exception("a request failed inside the gateway: %r %s", exchange.method, exchange.path)
            self._parts.stats.failed += 1
            answer_refusal(exchange, internal_error())

    def _infer(self, exchange: Exchange, api: Api, model_in_path: str | None, headers: HeaderMap) -> None:
        parts, admission, router = self._parts, self._parts.admission, self._parts.router
        caller = admission.caller(headers)
        model = read_model(api, exchange.body, model_in_path, json_length(headers))
        admission.authorize(caller, model, router)
        record = self._record(api, caller, model, headers)
        admission.charge(caller)
        parts.decisions.add(record)
        stats, forwarded = parts.stats, caller.forwarded_by is not None
        stats.requests += 1
        if not forwarded:
            stats.arrivals[model] += 1
        choice = router.decide(record.candidates, record.demand)
        if isinstance(choice, Shed):
            self._shed(exchange, choice, record, forwarded=forwarded)
        else:
            Relay(parts.relays, exchange, record, forwarded=forwarded).begin(choice)

    def _record(self, api: Api, caller: Caller, model: str, headers: HeaderMap) -> DecisionRecord:
        """The decision's record before the decision: what is asked for, and the candidates as they stand now."""
        parts = self._parts
        constraints = parts.admission.constraints(caller, model, headers)
        session = _session(headers)
        session_site = None if session is None else parts.sessions.site_of(session, model, parts.clock.monotonic_s())
        candidates = parts.router.candidates(constraints)
        return DecisionRecord(
            decision_id=f"{parts.id_prefix}{parts.rng.getrandbits(64):016x}",
            at_ms=parts.clock.wall_ms(),
            api=api.name,
            tenant=caller.tenant.name if caller.forwarded_by is None else f"(from {caller.forwarded_by})",
            constraints=constraints,
            demand=parts.admission.demand(headers, session_site),
            candidates=candidates,
            costs_ms=candidates.costs_ms.copy(),
            terms=candidates.terms.copy(),
            table_version=parts.router.table.version,
        )

    def _shed(self, exchange: Exchange, shed: Shed, record: DecisionRecord, *, forwarded: bool) -> None:
        refusal = shed_refusal(shed, record.constraints.model, record.demand.deadline_ms)
        record.reason, record.status = f"shed:{shed.reason}", refusal.status
        self._parts.stats.shed += 1
        self._parts.stats.by_reason[record.reason] += 1
        load = load_line(*self._parts.router.local_load(record.constraints.model)) if forwarded else b""
        answer_refusal(exchange, refusal, receipt(record) + load)

    def _remember_session(self, exchange: Exchange, record: DecisionRecord) -> None:
        """Called by the relay when an answer begins."""
        assert record.chosen is not None
        site, model = record.chosen.site.name, record.constraints.model
        self._parts.stats.routed(site, record.reason, model)
        session = _session(dict(exchange.headers))
        if session is not None:
            self._parts.sessions.remember(session, model, site, self._parts.clock.monotonic_s())


def _match(path: str) -> tuple[Api | None, str | None]:
    """The inference API at a path, and the model if the path names it."""
    api = OPENAI_APIS.get(path)
    if api is None and path.startswith("/v2/models/") and path.endswith("/infer"):
        return INFER, path[len("/v2/models/") : -len("/infer")]
    return api, None


def _session(headers: HeaderMap) -> bytes | None:
    return headers.get(b"x-edgemind-session") or headers.get(b"x-session-id")
