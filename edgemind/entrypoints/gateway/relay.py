"""From a decision to an answer: send upstream, hold the response until its first body byte, relay, account.

Until the first body byte a failure can be hidden by one retry elsewhere; after it, what the client has cannot be taken
back, so a stream ends with an error event and any other body with a closed connection, never with a clean end.

Every method is called from a read callback of one of the two connections and returns at once.
"""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from edgemind.domain.limits import Limits
from edgemind.domain.requests import Demand
from edgemind.domain.routing.picker import Pick
from edgemind.entrypoints.gateway.answers import answer_refusal
from edgemind.entrypoints.gateway.exchange import Exchange
from edgemind.entrypoints.gateway.forwarding import RequestHeads, load_line, load_of, receipt, response_head
from edgemind.entrypoints.gateway.refusals import upstream_failed
from edgemind.errors import UpstreamUnreachable
from edgemind.ports.clock import Clock
from edgemind.ports.inference import Answer, PendingRequest, Upstream
from edgemind.services.decision_spans import CLIENT_LEFT
from edgemind.services.gateway_stats import GatewayStats
from edgemind.services.recent_decisions import DecisionRecord
from edgemind.services.route_request import RequestRouter

RETRIABLE_STATUS = frozenset({429, 502, 503, 504})
"""Answers that another site may well improve on; anything else is the model server's own word and is relayed."""
CLIENT_CLOSED_REQUEST = 499


@dataclass(slots=True)
class Relays:
    """What the relays of one worker share. `held_bytes` are the bodies kept for a possible retry, over all of them."""

    router: RequestRouter
    upstreams: Callable[[str], Upstream]
    heads: RequestHeads
    stats: GatewayStats
    limits: Limits
    clock: Clock
    on_answered: Callable[[Exchange, DecisionRecord], None] = lambda exchange, record: None
    on_finished: Callable[[DecisionRecord], None] = lambda record: None
    held_bytes: int = 0


class Relay:
    """One admitted request on its way: the sink of its upstream, and what its exchange tells about the client."""

    __slots__ = (
        "_answered", "_candidate", "_exchange", "_forwarded", "_held", "_in_flight", "_may_retry", "_now_s", "_pending",
        "_record", "_shared", "_slowed", "_sse", "_started_s", "_target",
    )  # fmt: skip

    def __init__(self, shared: Relays, exchange: Exchange, record: DecisionRecord, *, forwarded: bool) -> None:
        self._shared = shared
        self._exchange = exchange
        self._record = record
        self._forwarded = forwarded
        self._now_s = shared.clock.monotonic_s
        self._pending: PendingRequest | None = None
        self._answered = False
        self._sse = False
        self._slowed = False
        size, limits = len(exchange.body), shared.limits
        fits = size <= limits.replay_bytes_per_request and shared.held_bytes + size <= limits.replay_bytes_total
        self._held = size if fits else 0
        self._may_retry = fits and not forwarded
        shared.held_bytes += self._held
        exchange.relayed = self

    def begin(self, choice: Pick) -> None:
        """Send the request to the chosen candidate."""
        shared, record = self._shared, self._record
        candidate, reason = choice
        self._candidate = candidate
        self._target = target = shared.router.targets[candidate.key]
        self._started_s = self._now_s()
        self._in_flight = candidate.in_flight
        record.chosen, record.reason, record.predicted_ms = candidate, reason.value, candidate.expected_ms
        shared.router.sent(candidate)
        body = self._exchange.body
        head = shared.heads.head(target, self._exchange, len(body), record, self._left_ms())
        self._pending = shared.upstreams(target.base_url).request(head, body, self)

    # The upstream's side (ports.inference.AnswerSink)

    def on_answer(self, answer: Answer) -> None:
        if self._target.via_gateway:
            load = load_of(answer.headers)
            if load is not None:
                self._shared.router.report_load(self._candidate, *load)
        if answer.status in RETRIABLE_STATUS and self._may_retry:
            other = self._other()
            if other is not None:
                self._refused_by_upstream(answer)
                self.begin(other)
                return
        self._relay(answer)

    def on_chunk(self, chunk: bytes) -> None:
        self._exchange.push(chunk)

    def on_end(self) -> None:
        self._pending = None
        self._account()
        self._exchange.finish()

    def on_failed(self, error: Exception) -> None:
        site, self._pending = self._candidate.site.name, None
        self._shared.router.failed(self._candidate, unreachable=isinstance(error, UpstreamUnreachable))
        self._record.attempts += ((site, str(error)),)
        if self._answered:
            self._cut(site)
            return
        other = self._other() if self._may_retry else None
        if other is not None:
            self.begin(other)
            return
        self._release()
        self._record.status = 502
        self._shared.stats.failed += 1
        self._shared.on_finished(self._record)
        answer_refusal(self._exchange, upstream_failed(str(error)), receipt(self._record) + self._load_line())

    # The client's side (exchange.RelayedRequest)

    def hang_up(self) -> None:
        """The client left: the upstream stops at once, and nothing is learned about its health."""
        self._release()
        if self._pending is not None:
            self._pending.cancel()
        self._shared.router.abandoned(self._candidate)
        self._shared.stats.hung_up += 1
        self._record.attempts += ((self._candidate.site.name, CLIENT_LEFT),)
        if not self._answered:
            self._record.status = CLIENT_CLOSED_REQUEST
        self._shared.on_finished(self._record)

    def pause(self) -> None:
        self._slowed = True
        if self._pending is not None:
            self._pending.pause()

    def resume(self) -> None:
        if self._pending is not None:
            self._pending.resume()

    # Steps

    def _relay(self, answer: Answer) -> None:
        """The first body byte is here: from now on the answer is this upstream's."""
        shared, record, exchange = self._shared, self._record, self._exchange
        self._answered = True
        self._release()
        record.status = answer.status
        record.first_byte_ms = (self._now_s() - exchange.arrived_s) * 1000.0
        head = response_head(answer.headers, record)
        self._sse = head.sse
        shared.stats.first_byte.observe(record.first_byte_ms)
        if head.service_ms is not None:
            shared.stats.added.observe(max(0.0, record.first_byte_ms - head.service_ms))
        complete = answer.complete
        if complete:
            # It holds this relay as its sink: let go, or the collector would have to undo the knot.
            self._pending = None
            self._account()
        lines = head.lines + self._load_line() if self._forwarded else head.lines
        shared.on_answered(exchange, record)
        exchange.start(answer.status, lines, answer.take(), length=head.length, complete=complete)

    def _account(self) -> None:
        """The whole answer is here."""
        shared, record = self._shared, self._record
        now_s = self._now_s()
        record.actual_ms = (now_s - self._exchange.arrived_s) * 1000.0
        record.attempts += ((self._candidate.site.name, f"answered {record.status}"),)
        shared.on_finished(record)
        if record.status < 500:
            shared.stats.ok += 1
            # A slow reader makes its own answer late.
            if record.actual_ms > record.demand.deadline_ms and not self._slowed:
                shared.stats.late += 1
        else:
            shared.stats.failed += 1
            if not self._target.via_gateway:
                shared.router.failed(self._candidate)
                return
        elapsed_ms = None if record.status >= 400 or self._slowed else (now_s - self._started_s) * 1000.0
        shared.router.succeeded(self._candidate, elapsed_ms, self._in_flight)

    def _refused_by_upstream(self, answer: Answer) -> None:
        """A refusal to be retried elsewhere. A neighbour's is news of its load, a server's own counts as a failure."""
        if not answer.complete and self._pending is not None:
            self._pending.cancel()
        if self._target.via_gateway:
            self._shared.router.abandoned(self._candidate)
        else:
            self._shared.router.failed(self._candidate)
        self._record.attempts += ((self._candidate.site.name, f"answered {answer.status}"),)

    def _other(self) -> Pick | None:
        """Another candidate that can still meet what is left of the deadline; the one retry is then used up."""
        demand = Demand(self._left_ms(), self._record.demand.priority)
        other = self._shared.router.decide_again(self._record.constraints, demand, self._candidate)
        if other is not None:
            self._may_retry = False
            self._shared.stats.retried += 1
        return other

    def _cut(self, site: str) -> None:
        self._shared.stats.failed += 1
        self._shared.stats.cut += 1
        self._shared.on_finished(self._record)
        if self._sse:
            self._exchange.finish(_error_event(site))
        else:
            self._exchange.cut()

    def _left_ms(self) -> float:
        return self._record.demand.deadline_ms - (self._now_s() - self._exchange.arrived_s) * 1000.0

    def _load_line(self) -> bytes:
        return load_line(*self._shared.router.local_load(self._record.constraints.model)) if self._forwarded else b""

    def _release(self) -> None:
        """The body is not needed for a retry any more."""
        self._exchange.body = b""
        self._shared.held_bytes -= self._held
        self._held = 0
        self._may_retry = False


def _error_event(site: str) -> bytes:
    """A blank line first: the stream may have been cut in the middle of an event."""
    error = {
        "message": f"The model server at site '{site}' died in mid-answer; what came before this is incomplete.",
        "type": "server_error",
        "code": "upstream_cut",
        "param": None,
    }
    return b"\n\ndata: " + orjson.dumps({"error": error}) + b"\n\n"
