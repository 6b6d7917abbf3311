"""One recorded round under given values: who would have breached, what the recorded views would have voted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from edgemind.domain.advice.settings import PolicyValues
from edgemind.domain.swarm.ballots import winner
from edgemind.domain.swarm.breach import severity
from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.records import KEEP, Ballot, Candidate
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, pressure, rank
from edgemind.domain.swarm.votes import View
from edgemind.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class JudgedRound:
    """`chosen` is KEEP in a round that is not `noticed`, for nobody asks then.

    `relief` is the share of the average wait per slot that the chosen candidate takes away, by the recorded views'
    mean. `since_change_ms` is the shortest that a voter knew. `others` and `alarms` are `Alarms`.
    """

    noticed: bool
    chosen: Candidate
    relief: float
    since_change_ms: float | None
    others: int
    alarms: int

    @property
    def changes(self) -> bool:
        return self.chosen != KEEP


@dataclass(frozen=True, slots=True)
class Alarms:
    """Of `others`, the sites beside the breached one whose loads were recorded, those that would have breached without
    a candidate that helps enough: rounds for nothing."""

    others: int
    false: int


def can_judge(record: RoundRecord) -> bool:
    """A round to vote about again: candidates, and at least one voter's view of loads."""
    return len(record.candidates) > 1 and any(vote.view.loads for vote in record.votes.values())


def breach_shown(record: RoundRecord, values: PolicyValues) -> bool:
    """Whether what was measured is a breach. It is one sample: a round that an operator asked for shows none, nor does
    one whose breach had lasted for a while and dipped."""
    return severity(record.measured, values.thresholds) > 1


def judge(record: RoundRecord, values: PolicyValues, *, noticed: bool = True) -> JudgedRound:
    """`record` is one that `can_judge`. Each round by itself: what an earlier one would have changed is not known."""
    views = {site: vote.view for site, vote in sorted(record.votes.items()) if vote.view.loads}
    chosen = _revote(record, views, values.swarm.voting) if noticed else KEEP
    since = [view.since_change_ms for view in views.values() if view.since_change_ms is not None]
    told = views.get(record.breached or "") or next(iter(views.values()))
    alarms = _alarms(record, told.loads, values)
    return JudgedRound(
        noticed,
        chosen,
        _mean_relief(chosen, list(views.values())),
        min(since, default=None),
        alarms.others,
        alarms.false,
    )


def _revote(record: RoundRecord, views: Mapping[str, View], policy: VotingPolicy) -> Candidate:
    counted = [site for site in record.voters if site in views] or list(views)
    ballots = [
        Ballot(record.fence, site, rank(record.candidates, views[site].loads, policy, views[site].since_change_ms))
        for site in counted
    ]
    return winner(record.candidates, ballots)


def _mean_relief(candidate: Candidate, views: Sequence[View]) -> float:
    return sum(relief(candidate, view.loads) for view in views) / len(views)


def relief(candidate: Candidate, loads: Mapping[str, SiteLoad]) -> float:
    """The share of KEEP's pressure that the candidate takes away, from -1 (it doubles it, or worse) to 1."""
    before, after = pressure(KEEP, loads), pressure(candidate, loads)
    if not isfinite(before):
        return 1.0 if isfinite(after) else 0.0
    if not isfinite(after):
        return -1.0
    return max(-1.0, (before - after) / before) if before > 0 else 0.0


def _alarms(record: RoundRecord, loads: Mapping[str, SiteLoad], values: PolicyValues) -> Alarms:
    others = [site for site, load in sorted(loads.items()) if load.up and load.slots > 0 and site != record.breached]
    false = 0
    for site in others:
        if _breaches(loads[site], values.thresholds):
            candidates = propose(loads, site, record.model)
            best = rank(candidates, loads, values.swarm.voting, None)[0]
            false += best == KEEP.id
    return Alarms(len(others), false)


def _breaches(load: SiteLoad, thresholds: Thresholds) -> bool:
    """By what loads tell. A site's latency is in no other site's view."""
    measures = {"occupancy_ratio": load.demand / load.slots, "queue_depth": max(0.0, load.demand - load.slots)}
    return severity(measures, thresholds) > 1
