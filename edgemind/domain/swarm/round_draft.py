"""A round's record while it is being written."""

from dataclasses import dataclass, field

from edgemind.domain.swarm.ballots import admissible, tally
from edgemind.domain.swarm.history import (
    CallCount,
    EffectReport,
    Heard,
    Known,
    RecordedBallot,
    RoundRecord,
    Step,
    round_trace_id,
)
from edgemind.domain.swarm.records import Ballot, Candidate, CurrentRound, Fence, Outcome, RoundState
from edgemind.domain.swarm.votes import Vote

EFFECTS_LIMIT = 32
"""Of one round at one site: an effect that fails over and over must not fill the journal. The newest are kept."""


@dataclass(slots=True)
class RoundDraft:
    """`since_ms`: when this site heard of the round, by its monotonic clock; None if another process heard of it."""

    fence: Fence
    at_ms: int
    heard: Heard
    since_ms: float | None
    breached: str | None = None
    measured: dict[str, float] = field(default_factory=dict)
    opener: str | None = None
    coordinator: str | None = None
    candidates: tuple[Candidate, ...] = ()
    roster: tuple[str, ...] = ()
    quorum: int = 0
    suspected: tuple[str, ...] = ()
    ballots: dict[str, RecordedBallot] = field(default_factory=dict)
    voters: tuple[str, ...] = ()
    outcome: Outcome | None = None
    decided_ms: float | None = None
    learned_ms: float | None = None
    ended: str | None = None
    steps: dict[str, float] = field(default_factory=dict)
    votes: dict[str, Vote] = field(default_factory=dict)
    effects: list[EffectReport] = field(default_factory=list)
    calls: CallCount = field(default_factory=CallCount)
    trace_id: str = ""
    hinters: set[str] = field(default_factory=set)
    kept: RoundRecord | None = None
    """As it was handed over last."""

    def elapsed_ms(self, now_ms: float) -> float:
        """Rounded to microseconds: what is kept is what a document can tell."""
        return 0.0 if self.since_ms is None else round(max(0.0, now_ms - self.since_ms), 3)

    def step(self, name: str, now_ms: float) -> None:
        """The first of its name stands."""
        if self.since_ms is not None:
            self.steps.setdefault(name, self.elapsed_ms(now_ms))

    def proposed(self, candidates: tuple[Candidate, ...], roster: tuple[str, ...]) -> None:
        """What somebody means to open; what the store holds replaces it."""
        if not self.quorum:
            self.candidates, self.roster = candidates, roster

    def opened(self, round_: CurrentRound) -> None:
        """The round as it stands in the store."""
        self.candidates, self.roster, self.quorum = round_.candidates, round_.roster, round_.quorum
        self.opener = writer(round_.nonce)
        self.trace_id = round_trace_id(round_.fence, round_.nonce)
        if round_.outcome is not None:
            self.coordinator, self.voters = writer(round_.decision_nonce), round_.voters
        # What was heard before, of a round that this site only meant to open, may be no ballot of this one.
        self.ballots = {site: one for site, one in self.ballots.items() if self._counts(site, one.ranking)}

    def know(self, ballot: Ballot, known: Known, now_ms: float) -> None:
        """A ballot that counts in this round, as it stands in the store; the first word of it is kept."""
        if ballot.site not in self.roster or ballot.site in self.ballots:
            return
        # A ballot may be heard of before the round that it is of.
        if self.quorum and not self._counts(ballot.site, ballot.ranking):
            return
        self.ballots[ballot.site] = RecordedBallot(ballot.ranking, self.elapsed_ms(now_ms), known)
        if len(self.ballots) == self.quorum:
            self.step("quorum", now_ms)

    def _counts(self, site: str, ranking: tuple[str, ...]) -> bool:
        round_ = CurrentRound(self.fence, RoundState.OPEN, self.candidates, self.roster, self.quorum)
        return admissible(Ballot(self.fence, site, ranking), round_)

    def sent(self, copy: int) -> None:
        self.calls = CallCount(self.calls.count + 1, self.calls.hedged + (copy > 1))

    def report(self, effect: EffectReport) -> None:
        self.effects = [*self.effects, effect][-EFFECTS_LIMIT:]

    def record(self, metro: str, site: str) -> RoundRecord:
        return RoundRecord(
            self.fence, metro, site, self.at_ms, self.heard, self.breached, dict(self.measured), self.opener,
            self.coordinator, self.candidates, self.roster, self.quorum, self.suspected, dict(self.ballots),
            self.voters, self._tally(), self.outcome, self.decided_ms, self.learned_ms, self.ended,
            tuple(Step(name, ms) for name, ms in self.steps.items()), dict(self.votes), tuple(self.effects), self.calls,
            self.trace_id,
        )  # fmt: skip

    def _tally(self) -> dict[str, int]:
        """Empty while a counted ballot is not known here: half a tally would be a wrong one."""
        if not self.quorum or not self.voters or not self.ballots.keys() >= set(self.voters):
            return {}
        return tally(self.candidates, [Ballot(self.fence, site, self.ballots[site].ranking) for site in self.voters])


def draft_of(record: RoundRecord) -> RoundDraft:
    """To go on with, after a restart: of what was timed then, nothing more can be timed now."""
    return RoundDraft(
        record.fence, record.at_ms, record.heard, None, record.breached, dict(record.measured), record.opener,
        record.coordinator, record.candidates, record.roster, record.quorum, record.suspected, dict(record.ballots),
        record.voters, record.outcome, record.decided_ms, record.learned_ms, record.ended,
        {step.name: step.ms for step in record.steps}, dict(record.votes), list(record.effects), record.calls,
        record.trace_id,
    )  # fmt: skip


def writer(nonce: str | None) -> str | None:
    """The site whose write a nonce names: members name theirs `site/incarnation/number`."""
    site, _, _ = (nonce or "").partition("/")
    return site or None
