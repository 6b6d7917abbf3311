"""Who ranks the candidates of a round for a site."""

from collections.abc import Sequence
from typing import Protocol

from edgemind.domain.swarm.records import Candidate, Fence
from edgemind.domain.swarm.votes import View, Vote


class Voter(Protocol):
    async def vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> Vote | None:
        """A ballot, or None to abstain. Whoever asks waits no longer than the round does, and cancels it then."""
