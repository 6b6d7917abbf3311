"""A round as spans: each site's from its own record, all in one trace, with ids that every site finds by itself.

    round 1.4                      the coordinator's: from the breach to the decision
      at site-a                    each site's: from hearing of it to knowing the outcome; its steps are events
        ballot of site-a           from being asked to vote to its ballot in the store
        decide                     the coordinator's: from the last ballot that counted to the decision
        effect at site-a           what came of its part

Clocks of sites are not compared: within a site spans are as long as its monotonic clock says, and where they begin
is that site's wall clock's word.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import sha256

from edgemind.domain.spans import Span, SpanKind, SpanValue
from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.wording import outcome_words
from edgemind.ports.clock import Clock
from edgemind.ports.telemetry import SpanSink

OFFERED_LIMIT = 2048
"""Ids of spans that were offered already: a record is kept anew with everything that is added to it."""
FAILED = frozenset({"failed", "refused"})


class RoundSpans:
    """Offers every span of a round once, as soon as it is over. All rounds are kept: they are few."""

    def __init__(self, sink: SpanSink, clock: Clock) -> None:
        self._sink = sink
        self._clock = clock
        self._offered: dict[str, None] = {}

    def keep(self, record: RoundRecord) -> None:
        """To be called with each record that is kept, and again with what was added."""
        if not record.trace_id:
            return
        for span_id, make in _parts(record, self._clock.wall_ms()):
            if span_id not in self._offered:
                self._offered[span_id] = None
                self._sink.offer(make)
        while len(self._offered) > OFFERED_LIMIT:
            del self._offered[next(iter(self._offered))]


def span_id_of(record: RoundRecord, *what: str) -> str:
    """16 hex digits: the same at every site for the same part of the same round."""
    return sha256("/".join((record.trace_id, *what)).encode()).hexdigest()[:16]


def _parts(record: RoundRecord, now_ms: int) -> Iterator[tuple[str, Callable[[], Span]]]:
    over_ms = record.decided_ms if record.decided_ms is not None else record.learned_ms
    root, own = span_id_of(record, "round"), span_id_of(record, "at", record.site)
    if over_ms is not None or record.ended is not None:
        yield own, partial(_of_site, record, own, root, over_ms)
    if record.coordinated and record.decided_ms is not None:
        yield root, partial(_whole, record, root, record.decided_ms)
        decide = span_id_of(record, "decide", record.site)
        yield decide, partial(_decide, record, decide, own, record.decided_ms)
    ballot = record.ballots.get(record.site)
    if ballot is not None:
        one = span_id_of(record, "ballot", record.site)
        yield one, partial(_ballot, record, one, own, ballot.ms)
    for effect in record.effects:
        one = span_id_of(record, "effect", effect.site, effect.what, effect.state, str(effect.took_ms))
        yield one, partial(_effect, record, one, own, effect, now_ms)


def _whole(record: RoundRecord, span_id: str, over_ms: float) -> Span:
    told = {
        "edgemind.round": str(record.fence),
        "edgemind.breached": record.breached or "",
        "edgemind.outcome": outcome_words(record.outcome, record.ended),
    }
    return _span(record, f"round {record.fence}", span_id, "", (0.0, over_ms), told)


def _of_site(record: RoundRecord, span_id: str, parent: str, over_ms: float | None) -> Span:
    last_ms = max((step.ms for step in record.steps), default=0.0)
    told: dict[str, SpanValue] = {
        "edgemind.round": str(record.fence),
        "edgemind.heard": record.heard.value,
        "edgemind.store_calls": record.calls.count,
    }
    end_ms = last_ms if over_ms is None else over_ms
    events = tuple((step.name, _at_ns(record, step.ms)) for step in record.steps if step.ms <= end_ms)
    error = record.ended if record.outcome is None else None
    return _span(record, f"at {record.site}", span_id, parent, (0.0, end_ms), told, error, events)


def _decide(record: RoundRecord, span_id: str, parent: str, over_ms: float) -> Span:
    counted = [record.ballots[site].ms for site in record.voters if site in record.ballots]
    times = max((ms for ms in counted if ms <= over_ms), default=0.0), over_ms
    return _span(record, "decide", span_id, parent, times, {"edgemind.ballots": len(record.voters)})


def _ballot(record: RoundRecord, span_id: str, parent: str, known_ms: float) -> Span:
    asked_ms = next((step.ms for step in record.steps if step.name == "asked to vote"), known_ms)
    vote = record.votes.get(record.site)
    told: dict[str, SpanValue] = {"edgemind.first_choice": record.ballots[record.site].ranking[:1]}
    if vote is not None:
        told |= {"edgemind.voter": vote.voter, "edgemind.vote_ms": vote.took_ms, "edgemind.tools": len(vote.tool_calls)}
    times = min(asked_ms, known_ms), known_ms
    return _span(record, f"ballot of {record.site}", span_id, parent, times, told)


def _effect(record: RoundRecord, span_id: str, parent: str, effect: EffectReport, now_ms: int) -> Span:
    """`now_ms`: when it was first heard of here, which is when it ended."""
    end_ms = max(effect.took_ms, float(now_ms - record.at_ms))
    told: dict[str, SpanValue] = {"edgemind.effect": effect.what, "edgemind.state": effect.state}
    error = (effect.why or effect.state) if effect.state in FAILED else None
    times = end_ms - effect.took_ms, end_ms
    return _span(record, f"effect at {effect.site}", span_id, parent, times, told, error)


def _span(
    record: RoundRecord,
    name: str,
    span_id: str,
    parent: str,
    times_ms: tuple[float, float],
    told: Mapping[str, SpanValue],
    error: str | None = None,
    events: tuple[tuple[str, int], ...] = (),
) -> Span:
    start_ns, end_ns = (_at_ns(record, ms) for ms in times_ms)
    return Span(name, SpanKind.INTERNAL, record.trace_id, span_id, parent, start_ns, end_ns, dict(told), error, events)


def _at_ns(record: RoundRecord, ms: float) -> int:
    return record.at_ms * 1_000_000 + int(ms * 1_000_000)
