"""From a decision to an answer: send upstream, hold the response until its first body byte, relay, account.

Until the first body byte a failure can be hidden by one retry elsewhere; after it, what the client has cannot be taken
back, so a stream ends with an error event and any other body with a closed connection, never with a clean end.
"""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from edgemind.domain.limits import Limits
from edgemind.domain.requests import Demand
from edgemind.domain.routing.candidates import Candidate
from edgemind.domain.routing.picker import Pick
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import RequestHeads, load_line, load_of, response_head
from edgemind.errors import UpstreamCut, UpstreamFailed, UpstreamUnreachable
from edgemind.ports.clock import Clock
from edgemind.ports.inference import PendingRequest, Upstream, UpstreamResponse
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import DecisionRecord
from edgemind.services.route_request import RequestRouter, Target

RETRIABLE_STATUS = frozenset({429, 502, 503, 504})
"""Answers that another site may well answer better; anything else is the model server's own word and is relayed."""
CLIENT_CLOSED_REQUEST = 499


class HungUp(Exception):  # noqa: N818 - an event, not an error
    """The client left before its answer began."""


class NobodyAnswered(Exception):  # noqa: N818
    """Every permitted attempt failed before the first body byte; the message says how the last one did."""


@dataclass(slots=True)
class Attempt:
    """One try at one candidate."""

    candidate: Candidate
    target: Target
    started_s: float
    in_flight: float


@dataclass(slots=True)
class ReplayBudget:
    """Bytes of bodies held for a possible retry, over the whole process."""

    total_bytes: int
    held_bytes: int = 0

    def hold(self, size: int, per_request_bytes: int) -> bool:
        if size > per_request_bytes or self.held_bytes + size > self.total_bytes:
            return False
        self.held_bytes += size
        return True


class Relay:
    """Relays the requests of one worker. `upstreams` gives the connection pool of a base URL."""

    def __init__(
        self,
        router: RequestRouter,
        upstreams: Callable[[str], Upstream],
        heads: RequestHeads,
        stats: GatewayStats,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._router = router
        self._upstreams = upstreams
        self._heads = heads
        self._stats = stats
        self._limits = limits
        self._now_s = clock.monotonic_s
        self._replay = ReplayBudget(limits.replay_bytes_total)

    def use_limits(self, limits: Limits) -> None:
        self._limits = limits
        self._replay.total_bytes = limits.replay_bytes_total

    async def relay(
        self, exchange: Exchange, body: bytes, first: Pick, record: DecisionRecord, arrived_s: float, *, forwarded: bool
    ) -> None:
        """Answer one admitted request. Raises HungUp or NobodyAnswered if its answer never began."""
        size = len(body)
        held = self._replay.hold(size, self._limits.replay_bytes_per_request)
        try:
            may_retry = held and not forwarded
            attempt, response = await self._first_answer(exchange, body, first, record, arrived_s, may_retry=may_retry)
        finally:
            if held:
                self._replay.held_bytes -= size
        await self._answer(exchange, attempt, response, record, arrived_s, forwarded=forwarded)

    # Until the first body byte

    async def _first_answer(
        self, exchange: Exchange, body: bytes, choice: Pick, record: DecisionRecord, arrived_s: float, *, may_retry: bool
    ) -> tuple[Attempt, UpstreamResponse]:
        while True:
            attempt = self._begin(choice, record)
            try:
                response = await self._send(exchange, attempt, body, record, arrived_s)
            except UpstreamFailed as exc:
                self._note_failure(exchange, attempt, record, exc)
                failure: Exception = exc
            else:
                if response.status not in RETRIABLE_STATUS:
                    return attempt, response
                other = self._other(record, attempt, arrived_s) if may_retry else None
                if other is None:
                    return attempt, response
                self._note_refused(attempt, response, record)
                choice, may_retry = other, False
                continue
            retry = self._other(record, attempt, arrived_s) if may_retry else None
            if retry is None:
                raise NobodyAnswered(str(failure))
            choice, may_retry = retry, False

    def _begin(self, choice: Pick, record: DecisionRecord) -> Attempt:
        candidate, reason = choice
        attempt = Attempt(candidate, self._router.targets[candidate.key], self._now_s(), candidate.in_flight)
        record.chosen, record.reason, record.predicted_ms = candidate, reason.value, candidate.expected_ms
        self._router.sent(candidate)
        return attempt

    async def _send(
        self, exchange: Exchange, attempt: Attempt, body: bytes, record: DecisionRecord, arrived_s: float
    ) -> UpstreamResponse:
        remaining_ms = record.demand.deadline_ms - (attempt.started_s - arrived_s) * 1000.0
        head = self._heads.head(attempt.target, exchange.scope, len(body), record, remaining_ms)

        def on_start(pending: PendingRequest) -> None:
            exchange.upstream = pending
            if exchange.disconnected:
                # The client left while a connection was being made.
                pending.cancel()

        return await self._upstreams(attempt.target.base_url).send(head, body, on_start)

    def _note_failure(self, exchange: Exchange, attempt: Attempt, record: DecisionRecord, failure: Exception) -> None:
        exchange.upstream = None
        site = attempt.candidate.site.name
        if exchange.disconnected:
            self._router.abandoned(attempt.candidate)
            record.attempts.append((site, "client hung up"))
            raise HungUp from failure
        self._router.failed(attempt.candidate, unreachable=isinstance(failure, UpstreamUnreachable))
        record.attempts.append((site, str(failure)))

    def _note_refused(self, attempt: Attempt, response: UpstreamResponse, record: DecisionRecord) -> None:
        """A refusal that will be retried elsewhere. A neighbour's is news of its load, a server's own is a failure."""
        self._learn_load(attempt, response)
        response.cancel()
        if attempt.target.via_gateway:
            self._router.abandoned(attempt.candidate)
        else:
            self._router.failed(attempt.candidate)
        record.attempts.append((attempt.candidate.site.name, f"answered {response.status}"))

    def _other(self, record: DecisionRecord, attempt: Attempt, arrived_s: float) -> Pick | None:
        """Another candidate that can still meet what is left of the deadline."""
        left_ms = record.demand.deadline_ms - (self._now_s() - arrived_s) * 1000.0
        demand = Demand(left_ms, record.demand.priority)
        other = self._router.decide_again(record.constraints, demand, attempt.candidate)
        if other is not None:
            self._stats.retried += 1
        return other

    # From the first body byte on

    async def _answer(
        self,
        exchange: Exchange,
        attempt: Attempt,
        response: UpstreamResponse,
        record: DecisionRecord,
        arrived_s: float,
        *,
        forwarded: bool,
    ) -> None:
        self._learn_load(attempt, response)
        record.status = response.status
        record.first_byte_ms = (self._now_s() - arrived_s) * 1000.0
        head = response_head(response, record)
        self._stats.first_byte.observe(record.first_byte_ms)
        if head.service_ms is not None:
            self._stats.added.observe(max(0.0, record.first_byte_ms - head.service_ms))
        lines = head.lines + load_line(*self._router.local_load(record.constraints.model)) if forwarded else head.lines
        complete = response.complete
        exchange.upstream = None if complete else response
        exchange.start(response.status, lines, response.take(), length=head.length, complete=complete)
        if not complete:
            try:
                await response.relay(exchange.push)
            except UpstreamCut as exc:
                self._cut(exchange, attempt, record, exc, sse=head.sse)
                return
            finally:
                exchange.upstream = None
            exchange.finish()
        self._done(attempt, record, arrived_s)

    def _done(self, attempt: Attempt, record: DecisionRecord, arrived_s: float) -> None:
        now_s = self._now_s()
        record.actual_ms = (now_s - arrived_s) * 1000.0
        if record.status >= 500 and not attempt.target.via_gateway:
            self._router.failed(attempt.candidate)
        else:
            self._router.succeeded(attempt.candidate, (now_s - attempt.started_s) * 1000.0, attempt.in_flight)
        record.attempts.append((attempt.candidate.site.name, f"answered {record.status}"))
        if record.status < 500:
            self._stats.ok += 1
        else:
            self._stats.failed += 1

    def _cut(
        self, exchange: Exchange, attempt: Attempt, record: DecisionRecord, failure: UpstreamCut, *, sse: bool
    ) -> None:
        site = attempt.candidate.site.name
        if exchange.disconnected:
            self._router.abandoned(attempt.candidate)
            self._stats.hung_up += 1
            record.attempts.append((site, "client hung up"))
            return
        self._router.failed(attempt.candidate)
        self._stats.failed += 1
        self._stats.cut += 1
        record.attempts.append((site, str(failure)))
        if sse:
            exchange.finish(_error_event(site))
        else:
            exchange.cut()

    def _learn_load(self, attempt: Attempt, response: UpstreamResponse) -> None:
        load = load_of(response.headers) if attempt.target.via_gateway else None
        if load is not None:
            self._router.report_load(attempt.candidate, *load)


def _error_event(site: str) -> bytes:
    """A blank line first: the stream may have been cut in the middle of an event."""
    error = {
        "message": f"The model server at site '{site}' died in mid-answer; what came before this is incomplete.",
        "type": "server_error",
        "code": "upstream_cut",
        "param": None,
    }
    return b"\n\ndata: " + orjson.dumps({"error": error}) + b"\n\n"
