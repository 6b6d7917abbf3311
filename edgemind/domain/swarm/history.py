"""What is kept of a round after it is over: one site's record of it. Its times count from when that site heard of it.

No two sites' clocks are compared: `at_ms` is for people, and `decided_ms` is measured by one site's monotonic clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from edgemind.domain.swarm.records import Candidate, Fence, Outcome
from edgemind.domain.swarm.votes import Vote


def round_trace_id(fence: Fence, nonce: str) -> str:
    """The trace of the round that this write opened, as 32 hex digits.

    Made of what the store and every message about an open round carry already: each site finds the same one by itself,
    whichever messages were lost, and so do those of an older version's sites.
    """
    return sha256(f"{fence}/{nonce}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class EffectReport:
    """What came of a site's part in a decision. `state` is applied, refused (a later fence), failed or undone."""

    fence: Fence
    site: str
    what: str
    state: str
    took_ms: float
    why: str | None = None


class Heard(StrEnum):
    """How a site came to know that there is a round: its times count from there."""

    BREACH = "breach"
    """Its own: these times are since the breach itself."""
    WAKE = "wake"
    HINT = "hint"
    OUTCOME = "outcome"
    """Of the round as such it heard nothing, only what it decided."""


class Known(StrEnum):
    """How a site came to know a ballot."""

    OWN = "own"
    ACKNOWLEDGED = "acknowledgement"
    READ = "read from the store"


@dataclass(frozen=True, slots=True)
class RecordedBallot:
    """`ms`: when it was known here."""

    ranking: tuple[str, ...]
    ms: float
    known: Known


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    ms: float


@dataclass(frozen=True, slots=True)
class CallCount:
    """Calls of the store that this site sent for the round; `hedged` of them were copies of one already under way."""

    count: int = 0
    hedged: int = 0


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """Round `fence` of `metro` as `site` saw it; `at_ms` is wall time when it heard of it.

    `breached` is the site in trouble and `measured` what it saw, if `site` is that one. `opener` wrote the opening that
    stands, `coordinator` the decision; None where it is not known here. `voters` are those whose ballots were counted,
    and `tally` is their points (empty where not all of those ballots are known); `ballots` also holds those that came
    too late. `decided_ms` is None at sites that only learned the outcome, after `learned_ms`. `ended` tells why there
    is none. `votes` and `effects` are this site's own.
    """

    fence: Fence
    metro: str
    site: str
    at_ms: int
    heard: Heard
    breached: str | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    opener: str | None = None
    coordinator: str | None = None
    candidates: tuple[Candidate, ...] = ()
    roster: tuple[str, ...] = ()
    quorum: int = 0
    suspected: tuple[str, ...] = ()
    ballots: Mapping[str, RecordedBallot] = field(default_factory=dict)
    voters: tuple[str, ...] = ()
    tally: Mapping[str, int] = field(default_factory=dict)
    outcome: Outcome | None = None
    decided_ms: float | None = None
    learned_ms: float | None = None
    ended: str | None = None
    steps: tuple[Step, ...] = ()
    votes: Mapping[str, Vote] = field(default_factory=dict)
    effects: tuple[EffectReport, ...] = ()
    calls: CallCount = field(default_factory=CallCount)
    trace_id: str = ""
    """As `round_trace_id` makes it; empty where the opening is not known here."""

    @property
    def model(self) -> str:
        """What the round is about; empty where no candidate names a model."""
        return next((candidate.model for candidate in self.candidates if candidate.model), "")

    @property
    def coordinated(self) -> bool:
        """Whether this is the record of the site whose decision stands: it knows most."""
        return self.coordinator == self.site and self.decided_ms is not None
