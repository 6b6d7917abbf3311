"""Decisions, told in the log and not carried out."""

import logging

from edgemind.domain.swarm.records import Fence, Outcome

log = logging.getLogger("edgemind.rounds")


class ToldEffects:
    def learned(self, fence: Fence, outcome: Outcome) -> None:
        log.info("round %s decided %s%s", fence, outcome.candidate.id, " (timed out)" if outcome.timed_out else "")

    async def execute(self, fence: Fence, outcome: Outcome) -> None:
        log.info("round %s: %s would be carried out here", fence, outcome.candidate.id)

    def breach_over(self, model: str) -> None:
        log.info("the breach of %s is over", model)
