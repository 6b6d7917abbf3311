"""The default voter: the library's own deterministic ranking."""

import time
from collections.abc import Sequence

from edgemind.domain.swarm.records import Candidate, Fence
from edgemind.domain.swarm.voter import rank
from edgemind.domain.swarm.votes import View, Vote

LIBRARY = "library"


class LibraryVoter:
    """`Voter` for one site."""

    def __init__(self, site: str) -> None:
        self._site = site

    async def vote(self, fence: Fence, candidates: Sequence[Candidate], view: View) -> Vote:
        began_s = time.perf_counter()
        ranking = rank(candidates, view.loads, view.policy, view.since_change_ms)
        return Vote(fence, self._site, ranking, view, LIBRARY, took_ms=(time.perf_counter() - began_s) * 1000.0)
