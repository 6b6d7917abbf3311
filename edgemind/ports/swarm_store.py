"""Where the rounds of one metro are stored. Every method is one call of the store, sent once.

Refusals are results, not errors: they carry the item as it is. Reads are consistent. Whoever calls decides what to
send again; every write may be sent any number of times.
"""

from collections.abc import Sequence
from typing import Protocol

from edgemind.domain.swarm.protocol import Applied, Refused
from edgemind.domain.swarm.records import Ballot, CurrentRound, Fence
from edgemind.domain.swarm.roster import ChangeRoster, Roster
from edgemind.domain.swarm.writes import Claim, Decide, Genesis, OpenRound, PutBallot
from edgemind.errors import StateCorrupt, StoreUnavailable, TemporaryError

__all__ = [
    "Applied", "Ballot", "ChangeRoster", "Claim", "CurrentRound", "Decide", "Fence", "Genesis", "NotProvisioned",
    "OpenRound", "OutcomeUnknown", "PutBallot", "Refused", "Roster", "StateCorrupt", "StoreUnavailable", "SwarmStore",
    "Throttled",
]  # fmt: skip


class OutcomeUnknown(TemporaryError):
    """No answer in time, or a server's error: the write may have been applied, or may yet be."""


class Throttled(TemporaryError):
    """Refused for now, and not applied."""


class NotProvisioned(StateCorrupt):
    """The metro has no current round: it was never provisioned, or its item is lost."""


class SwarmStore(Protocol):
    """Raises OutcomeUnknown, Throttled, StoreUnavailable (not sent), or StateCorrupt from every method.

    Those on the current round, but for `genesis`, raise NotProvisioned while there is none. Calls block: keep them off
    event loops.
    """

    def genesis(self, write: Genesis) -> Applied | Refused:
        """Put round 0 if the metro has no current round; refused with it otherwise."""

    def read_current(self) -> CurrentRound: ...

    def open_round(self, write: OpenRound) -> Applied | Refused: ...

    def put_ballot(self, write: PutBallot) -> Applied | Refused:
        """Refused with the ballot that the site has cast in this round already."""

    def read_ballots(self, fence: Fence) -> Sequence[Ballot]:
        """Of one round, by site."""

    def decide(self, write: Decide) -> Applied | Refused: ...

    def claim(self, write: Claim) -> Applied | Refused: ...

    def read_roster(self) -> Roster:
        """Version 0, without members, if it was never changed."""

    def change_roster(self, write: ChangeRoster) -> Applied | Refused:
        """Refused with the roster as it is, unless that is the version before."""
