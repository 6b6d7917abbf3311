"""Members whose rounds are recorded, and records as rounds leave them, for the tests of everything that shows them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from edgemind.domain.swarm.history import (
    CallCount,
    EffectReport,
    Heard,
    Known,
    RecordedBallot,
    RoundRecord,
    Step,
)
from edgemind.domain.swarm.member import SwarmMember
from edgemind.domain.swarm.proposals import propose
from edgemind.domain.swarm.protocol import Effect, Event
from edgemind.domain.swarm.recorder import RoundRecorder
from edgemind.domain.swarm.records import Fence, Outcome
from edgemind.domain.swarm.voter import SiteLoad, VotingPolicy, rank
from edgemind.domain.swarm.votes import ToolCall, View, Vote

AT_MS = 1_767_225_600_000
SITES = ("site-a", "site-b", "site-c")
LOADS = {"site-a": SiteLoad(12, 18.0, 3), "site-b": SiteLoad(4, 3.0), "site-c": SiteLoad(12, 0.5, 3)}


class RecordedMember:
    """The real member, and a recorder that watches it; `kept` holds every record in the order it was handed over."""

    def __init__(self, site: str, member: SwarmMember, known: Sequence[RoundRecord] = ()) -> None:
        self.site = site
        self.member = member
        self.kept: list[RoundRecord] = []
        self.recorder = RoundRecorder(site, "test", self.kept.append, lambda: AT_MS, known)

    def step(self, event: Event, now_ms: float) -> list[Effect]:
        effects = self.member.step(event, now_ms)
        self.recorder.observe(event, effects, now_ms)
        return effects

    def __getattr__(self, name: str) -> Any:
        return getattr(self.member, name)

    @property
    def latest(self) -> dict[Fence, RoundRecord]:
        return {record.fence: record for record in self.kept}


def view(site: str) -> View:
    """Nearly the same at every site, as snapshots are."""
    seen = {name: replace(load, demand=load.demand + 0.1 * SITES.index(site)) for name, load in LOADS.items()}
    return View(seen, VotingPolicy(), 60_000.0)


def round_record(
    number: int = 3, site: str = "site-a", *, coordinator: str = "site-a", epoch: int = 1, **changes: Any
) -> RoundRecord:
    """Round `epoch.number` for a breach at site-a, as `site` keeps it; every vote is what the library's voter says."""
    fence = Fence(epoch, number)
    candidates = propose(LOADS, "site-a", "llm")
    rankings = {name: rank(candidates, view(name).loads, view(name).policy, 60_000.0) for name in SITES}
    outcome = Outcome(next(candidate for candidate in candidates if candidate.id == rankings["site-a"][0]))
    vote = Vote(fence, site, rankings[site], view(site), "library", 0.4)
    fields: dict[str, Any] = {
        "fence": fence, "metro": "test", "site": site, "at_ms": AT_MS + 1000 * number, "heard": Heard.HINT,
        "breached": "site-a", "opener": "site-a", "coordinator": coordinator, "candidates": candidates,
        "roster": SITES, "quorum": 2, "outcome": outcome, "learned_ms": 27.5, "votes": {site: vote},
        "steps": (Step("hint received", 0.0), Step("asked to vote", 0.1), Step("voted", 5.2), Step("learned", 27.5)),
        "calls": CallCount(1),
        "ballots": {site: RecordedBallot(rankings[site], 5.2, Known.OWN)},
    }  # fmt: skip
    if site == coordinator:
        known = {name: Known.OWN if name == site else Known.ACKNOWLEDGED for name in SITES}
        ballots = {name: RecordedBallot(rankings[name], 11.0 + k, known[name]) for k, name in enumerate(SITES)}
        names = ("breached", "open sent", "opened", "voted", "quorum", "deciding", "decided", "announced")
        times = (0.0, 0.0, 5.3, 11.0, 12.0, 13.0, 31.2, 31.2)
        fields |= {
            "heard": Heard.BREACH, "ballots": ballots, "voters": SITES, "decided_ms": 31.2, "learned_ms": 31.2,
            "measured": {"occupancy_ratio": 3.5}, "tally": _tally(candidates, rankings), "calls": CallCount(4, 1),
            "steps": tuple(Step(name, ms) for name, ms in zip(names, times, strict=True)),
        }  # fmt: skip
    return RoundRecord(**{**fields, **changes})


def effect(record: RoundRecord, state: str = "applied", why: str | None = None) -> EffectReport:
    site = record.outcome.candidate.site if record.outcome else record.site
    return EffectReport(record.fence, site, "replicas of llm = 2", state, 12.5, why)


def strands_vote(record: RoundRecord, site: str) -> Vote:
    """The same ranking, come to with tools."""
    vote = record.votes[site]
    calls = (
        ToolCall("capacity", "site_loads", {"model": "llm"}, {"site-c": 0.5}, 1.25),
        ToolCall("risk", "recent_rounds", {"limit": 3}, None, 0.5, "the journal is locked"),
    )
    return Vote(vote.fence, site, vote.ranking, vote.view, "strands", 6.5, calls)


def _tally(candidates: Any, rankings: dict[str, tuple[str, ...]]) -> dict[str, int]:
    points = {candidate.id: 0 for candidate in candidates}
    for ranking in rankings.values():
        for place, name in enumerate(ranking):
            points[name] += 5 - place
    return points
