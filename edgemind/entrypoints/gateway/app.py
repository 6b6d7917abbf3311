"""What a gateway does with a request: admission -> candidates -> decision -> relay -> receipt."""

import logging
from dataclasses import dataclass
from random import Random

from edgemind.domain.limits import Limits
from edgemind.domain.requests import SHED_PREFIX, Demand
from edgemind.domain.routing.picker import Shed
from edgemind.domain.trace_context import continued_trace
from edgemind.entrypoints.gateway.admission import Admission, Admitted, constraints_of
from edgemind.entrypoints.gateway.answers import answer_refusal
from edgemind.entrypoints.gateway.apis import INFER, OPENAI_APIS, Api, read_model
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import load_line, receipt
from edgemind.entrypoints.gateway.heads import Head
from edgemind.entrypoints.gateway.lookups import LookUps
from edgemind.entrypoints.gateway.refusals import (
    Refusal,
    internal_error,
    method_not_allowed,
    shed_refusal,
)
from edgemind.entrypoints.gateway.relay import Relay, Relays
from edgemind.ports.clock import Clock
from edgemind.services.audit.hand_over import DecisionsToKeep
from edgemind.services.decision_spans import DecisionTracing
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
    tracing: DecisionTracing
    to_keep: DecisionsToKeep


class GatewayApp:
    """Serves whole requests, synchronously: it returns once the request is refused, shed or on its way upstream."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._look_ups = LookUps(parts.router, lambda: parts.admission)
        self._log = logging.getLogger("edgemind.gateway")
        parts.relays.on_answered = self._answered
        parts.relays.on_finished = parts.tracing.finished

    def preflight(self, head: Head) -> Refusal | None:
        """Before a large body is read: may this caller send one at all?"""
        try:
            self._parts.admission.admit(head)
        except Refusal as refusal:
            return refusal
        return None

    def serve(self, exchange: Exchange) -> None:
        head = exchange.head
        try:
            api, model_in_path = _match(head.path)
            if api is None:
                self._look_ups.answer(exchange)
            elif head.method != b"POST":
                raise method_not_allowed("POST")
            else:
                self._infer(exchange, api, model_in_path)
        except Refusal as refusal:
            self._parts.stats.refused += 1
            answer_refusal(exchange, refusal)
        except Exception:  # noqa: BLE001
            # The edge of the process: one request's bug must not be another's, and its client gets a whole answer.
            told = {"trace_id": exchange.trace_id}
            self._log.exception("a request failed inside the gateway: %r %s", head.method, head.path, extra=told)
            self._parts.stats.failed += 1
            answer_refusal(exchange, internal_error())

    def _infer(self, exchange: Exchange, api: Api, model_in_path: str | None) -> None:
        parts, admission, router = self._parts, self._parts.admission, self._parts.router
        admitted = admission.admit(exchange.head)
        caller = admitted.caller
        model = read_model(api, exchange.body, model_in_path, admitted.json_length, parts.limits.max_json_values)
        admission.authorize(caller, model, router)
        admission.charge(caller)
        record = self._record(exchange.head, api, admitted, model)
        exchange.trace_id = record.trace.trace_id
        parts.decisions.add(record)
        parts.to_keep.offer(record)
        stats, forwarded = parts.stats, caller.forwarded_by is not None
        stats.requests += 1
        if not forwarded:
            stats.arrivals[model] += 1
        choice = router.decide(record.candidates, record.demand)
        if isinstance(choice, Shed):
            self._shed(exchange, choice, record, forwarded=forwarded)
        else:
            Relay(parts.relays, exchange, record, forwarded=forwarded).begin(choice)

    def _record(self, head: Head, api: Api, admitted: Admitted, model: str) -> DecisionRecord:
        """The decision's record before the decision: what is asked for, and the candidates as they stand now."""
        parts, caller, demand = self._parts, admitted.caller, admitted.demand
        constraints = constraints_of(admitted, model)
        if admitted.session is not None:
            site = parts.sessions.site_of(admitted.session, model, parts.clock.monotonic_s())
            demand = Demand(demand.deadline_ms, demand.priority, site)
        candidates = parts.router.candidates(constraints)
        trace = continued_trace(head.headers) if b"traceparent" in head.header else None
        return DecisionRecord(
            f"{parts.id_prefix}{parts.rng.getrandbits(64):016x}",
            parts.clock.wall_ms(),
            api.name,
            caller.tenant.name if caller.forwarded_by is None else f"(from {caller.forwarded_by})",
            constraints,
            demand,
            candidates,
            tuple(candidates.costs_ms),
            candidates.terms,
            parts.router.table.version,
            trace=trace or parts.tracing.begin(),
            session=admitted.session,
        )

    def _shed(self, exchange: Exchange, shed: Shed, record: DecisionRecord, *, forwarded: bool) -> None:
        refusal = shed_refusal(shed, record.constraints.model, record.demand.deadline_ms)
        record.reason, record.status = f"{SHED_PREFIX}{shed.reason}", refusal.status
        self._parts.stats.shed += 1
        self._parts.stats.by_reason[record.reason] += 1
        load = load_line(*self._parts.router.local_load(record.constraints.model)) if forwarded else b""
        self._parts.tracing.finished(record)
        answer_refusal(exchange, refusal, receipt(record) + load)

    def _answered(self, exchange: Exchange, record: DecisionRecord) -> None:
        """Called by the relay when an answer begins."""
        assert record.chosen is not None
        site, model = record.chosen.site.name, record.constraints.model
        self._parts.stats.routed(site, record.reason, model)
        admitted = exchange.head.admitted
        if isinstance(admitted, Admitted) and admitted.session is not None:
            self._parts.sessions.remember(admitted.session, model, site, self._parts.clock.monotonic_s())


def _match(path: str) -> tuple[Api | None, str | None]:
    """The inference API at a path, and the model if the path names it."""
    api = OPENAI_APIS.get(path)
    if api is None and path.startswith("/v2/models/") and path.endswith("/infer"):
        return INFER, path[len("/v2/models/") : -len("/infer")]
    return api, None
