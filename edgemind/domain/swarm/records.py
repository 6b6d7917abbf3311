"""What a round consists of. `CurrentRound` is the one item per metro on which all safety rests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edgemind.errors import PermanentError

FENCE_DIGITS = 16
RANKED_LIMIT = 5
"""A ballot names its best five candidates at most."""


@dataclass(frozen=True, slots=True, order=True)
class Fence:
    """Which round, in order of time. A fail-over or a restore of the table raises `epoch`, since `round` may rewind."""

    epoch: int
    round: int

    @property
    def next(self) -> "Fence":
        return Fence(self.epoch, self.round + 1)

    def __str__(self) -> str:
        return f"{self.epoch}.{self.round}"

    @classmethod
    def parse(cls, text: str) -> "Fence":
        """What `str` wrote; PermanentError if that cannot be."""
        epoch, _, round_ = text.partition(".")
        if not all(part.isascii() and part.isdigit() and len(part) <= FENCE_DIGITS for part in (epoch, round_)):
            raise PermanentError(f"{text[:50]!r} is no fence; it is written EPOCH.ROUND, such as 1.17")
        return cls(int(epoch), int(round_))


class Action(StrEnum):
    """What a round can decide. FAIL_OVER cannot be written as an absolute state: it is claimed before it is done."""

    SHIFT = "shift"
    SCALE_OUT = "scale_out"
    FAIL_OVER = "fail_over"
    DRAIN = "drain"
    KEEP = "keep"


CLAIMED = frozenset({Action.FAIL_OVER})


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """One thing to do, as an absolute state, so that doing it twice is doing it once. `site` is the one that acts.

    SHIFT: `site` takes `target` percent of what the site `of` has too much of `model`. SCALE_OUT: `site` runs `target`
    replicas of `model`. FAIL_OVER: `site` takes over all that the site `of` had. DRAIN: `site` takes no new work. KEEP:
    nobody does anything; `site` is empty.
    """

    action: Action
    site: str
    target: int = 0
    of: str = ""
    model: str = ""

    @property
    def id(self) -> str:
        parts = (self.action.value, self.site, self.of, self.model, str(self.target or ""))
        return ":".join(part for part in parts if part)


KEEP = Candidate(Action.KEEP, "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round decided. `timed_out`: a KEEP that no quorum voted for, written so that the round ends."""

    candidate: Candidate
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Ballot:
    """A site's candidates (their ids), best first. Written once: the first of a site in a round stands."""

    fence: Fence
    site: str
    ranking: tuple[str, ...]


class RoundState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class CurrentRound:
    """The item of a metro's present round. `nonce` names the opening write, `decision_nonce` the deciding one.

    A writer whose answer was lost finds its own nonce here and knows that it succeeded. `roster` and `quorum` are
    frozen when the round opens. `claims` tells which incarnation of a site does the effect.
    """

    fence: Fence
    state: RoundState
    candidates: tuple[Candidate, ...] = ()
    roster: tuple[str, ...] = ()
    quorum: int = 0
    nonce: str = ""
    decision_nonce: str | None = None
    outcome: Outcome | None = None
    voters: tuple[str, ...] = ()
    claims: Mapping[str, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state is RoundState.OPEN

    def candidate(self, candidate_id: str) -> Candidate:
        """PermanentError if it is not one of this round's."""
        for candidate in self.candidates:
            if candidate.id == candidate_id:
                return candidate
        raise PermanentError(f"{candidate_id} is no candidate of round {self.fence}")

    def validate(self) -> None:
        """Raise PermanentError with everything that no correct member can have written."""
        findings = [finding for wrong, finding in self._checks() if wrong]
        if findings:
            raise PermanentError(f"round {self.fence}: {'; '.join(findings)}")

    def _checks(self) -> list[tuple[bool, str]]:
        outcome = self.outcome
        provisioned = not self.nonce
        return [
            (self.open and outcome is not None, "it is open and has an outcome"),
            (not self.open and outcome is None and not provisioned, "it is decided and has no outcome"),
            (not provisioned and not 0 < self.quorum <= len(self.roster), "its quorum does not fit its roster"),
            (not set(self.voters) <= set(self.roster), "a voter is not on its roster"),
            (outcome is not None and outcome.candidate not in self.candidates, "its outcome was no candidate"),
            (
                outcome is not None and outcome.timed_out and outcome.candidate != KEEP,
                "it timed out and changes things",
            ),
            (
                outcome is not None and not outcome.timed_out and len(self.voters) < self.quorum,
                "fewer sites than its quorum voted",
            ),
        ]
