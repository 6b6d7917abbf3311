"""Rounds in lists: one line each, and what the records of several sites say together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from edgemind.domain.swarm.history import EffectReport, RoundRecord
from edgemind.domain.swarm.records import Fence
from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.domain.swarm.wording import outcome_words


@dataclass(frozen=True, slots=True)
class EffectLine:
    """What one site did about a decision: `state` is applied, refused, failed or undone."""

    site: str
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """One round in a list. `site` kept the record; it knows most if it is the `coordinator`.

    `epoch` and `n` are the fence. `outcome` is SHIFT, SCALE_OUT, FAIL_OVER, DRAIN or KEEP, null if none is known;
    `target` is the site that acts, `of` the one that it acts for, `amount` percent or replicas, `told` all of it in
    words. `ballots` were counted, of `voters`. `decided_ms` counts from the confirmed breach, null where that is not
    known.
    """

    fence: str
    epoch: int
    n: int
    at_ms: int
    site: str
    told: str
    model: str = ""
    breached: str | None = None
    outcome: str | None = None
    target: str | None = None
    of: str | None = None
    amount: int = 0
    timed_out: bool = False
    decided_ms: float | None = None
    learned_ms: float | None = None
    ballots: int | None = None
    voters: int = 0
    coordinator: str | None = None
    effects: list[EffectLine] = field(default_factory=list)

    @property
    def coordinated(self) -> bool:
        return self.coordinator == self.site and self.decided_ms is not None

    @property
    def line(self) -> str:
        """`round 1.3: shift 100 % of site-a's llm to site-c, decided in 31 ms by 3 of 3, coordinator site-a`."""
        parts = [f"round {self.fence}: {self.told}"]
        if self.decided_ms is not None:
            by = f" by {self.ballots} of {self.voters}" if self.ballots is not None else ""
            parts.append(f"decided in {self.decided_ms:.0f} ms{by}")
        if self.coordinator is not None:
            parts.append(f"coordinator {self.coordinator}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class RoundPage:
    """Rounds, newest first. `next_cursor` asks for older ones; null at the end. `unreachable` sites told nothing."""

    rounds: list[RoundSummary]
    next_cursor: str | None = None
    unreachable: list[str] = field(default_factory=list)


def summary_of(record: RoundRecord) -> RoundSummary:
    fence, outcome = record.fence, record.outcome
    candidate = outcome.candidate if outcome is not None else None
    return RoundSummary(
        fence=str(fence),
        epoch=fence.epoch,
        n=fence.round,
        at_ms=record.at_ms,
        site=record.site,
        told=outcome_words(outcome, record.ended),
        model=record.model,
        breached=record.breached,
        outcome=candidate.action.name if candidate is not None else None,
        target=candidate.site or None if candidate is not None else None,
        of=candidate.of or None if candidate is not None else None,
        amount=candidate.target if candidate is not None else 0,
        timed_out=outcome.timed_out if outcome is not None else False,
        decided_ms=record.decided_ms,
        learned_ms=record.learned_ms,
        # Only a record with the deciding write tells who was counted.
        ballots=len(record.voters) if record.voters or record.coordinated else None,
        voters=len(record.roster),
        coordinator=record.coordinator,
        effects=[EffectLine(effect.site, effect.what, effect.state) for effect in record.effects],
    )


def newest_first(summaries: Iterable[RoundSummary], limit: int, before: Fence | None) -> list[RoundSummary]:
    """Of every round one line, in the order of their fences: no two sites' clocks are compared."""
    by_fence: dict[Fence, list[RoundSummary]] = {}
    for summary in summaries:
        fence = fence_from_text(summary.fence)
        if before is None or fence < before:
            by_fence.setdefault(fence, []).append(summary)
    return [_joined(by_fence[fence]) for fence in sorted(by_fence, reverse=True)[:limit]]


def join_records(records: Sequence[RoundRecord]) -> RoundRecord:
    """What is known of one round: the coordinator's record, with every site's votes and effects from that site.

    Without the coordinator's the one that knows most, the first site by name of equals. At least one record.
    """
    best = min(records, key=lambda one: (not one.coordinated, one.outcome is None, -len(one.ballots), one.site))
    return replace(
        best,
        breached=best.breached or _first(one.breached for one in records),
        measured=best.measured or next((one.measured for one in records if one.measured), {}),
        opener=best.opener or _first(one.opener for one in records),
        coordinator=best.coordinator or _first(one.coordinator for one in records),
        votes={site: vote for one in sorted(records, key=_by_site) for site, vote in one.votes.items()},
        effects=tuple(_effects(records)),
    )


def _joined(summaries: Sequence[RoundSummary]) -> RoundSummary:
    best = min(
        summaries, key=lambda one: (not one.coordinated, one.outcome is None, one.breached != one.site, one.site)
    )
    effects = {(one.site, one.what, one.state): one for summary in summaries for one in summary.effects}
    return replace(
        best,
        breached=best.breached or _first(one.breached for one in summaries),
        coordinator=best.coordinator or _first(one.coordinator for one in summaries),
        effects=[effects[key] for key in sorted(effects)],
    )


def _effects(records: Sequence[RoundRecord]) -> list[EffectReport]:
    return [effect for one in sorted(records, key=_by_site) for effect in one.effects]


def _by_site(record: RoundRecord) -> str:
    return record.site


def _first(names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name is not None), None)
