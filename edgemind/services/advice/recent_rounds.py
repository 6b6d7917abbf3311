"""The rounds that a replay judges a change by: the newest of the whole metro, each with every site's votes."""

from edgemind.domain.swarm.history import RoundRecord
from edgemind.domain.swarm.vote_documents import fence_from_text
from edgemind.services.rounds.find_rounds import RoundFinder

ROUNDS_JUDGED = 40
"""Each costs a question to every other controller: two thousand in a metro of 50."""


async def recent_rounds(finder: RoundFinder, limit: int = ROUNDS_JUDGED) -> list[RoundRecord]:
    """Newest first. Sites that do not answer are missing, with what only they know."""
    page = await finder.fleet_page(limit, None)
    found = []
    # One after the other: nobody waits for this, and the other controllers have rounds to decide.
    for summary in page.rounds:
        record, _ = await finder.round(fence_from_text(summary.fence))
        if record is not None:
            found.append(record)
    return found
