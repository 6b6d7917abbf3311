"""How a demo run went over time: whether devices were served in time, and what the swarm decided."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from edgemind.domain.swarm.summaries import RoundSummary

STRETCH_S = 5


@dataclass(slots=True)
class Attainment:
    """Of the requests that were sent in each stretch of time, how many were answered in time.

    By when they were sent: a late answer is the fault of the moment in which it was asked for.
    """

    ended: Counter[int] = field(default_factory=Counter)
    in_time: Counter[int] = field(default_factory=Counter)

    def add(self, sent_s: float, in_time: bool) -> None:
        """`sent_s`: since traffic began."""
        stretch = max(0, int(sent_s // STRETCH_S))
        self.ended[stretch] += 1
        self.in_time[stretch] += in_time

    def document(self) -> list[dict[str, object]]:
        """Stretches one after another; `attainment` is null where nothing was sent."""
        return [
            {
                "from_s": STRETCH_S * stretch,
                "requests": self.ended[stretch],
                "attainment": round(self.in_time[stretch] / self.ended[stretch], 4) if self.ended[stretch] else None,
            }
            for stretch in range(max(self.ended, default=-1) + 1)
        ]


Votes = Mapping[str, Mapping[str, Any]]
"""By site, as the fleet API tells them of one round."""


def rounds_document(
    rounds: Sequence[RoundSummary], votes: Mapping[str, Votes], started_wall_ms: float
) -> list[dict[str, object]]:
    """The swarm's rounds of the run, oldest first. `at_s`: when the coordinator heard of it, since traffic began.

    `votes` by fence; of a round of which nobody told them any more there are none.
    """
    return [
        {
            "n": one.n,
            "epoch": one.epoch,
            "at_s": round((one.at_ms - started_wall_ms) / 1000.0, 2),
            "breached": one.breached,
            "model": one.model,
            "outcome": one.outcome,
            "target": one.target,
            "of": one.of,
            "amount": one.amount,
            "timed_out": one.timed_out,
            "told": one.told,
            "decided_ms": None if one.decided_ms is None else round(one.decided_ms, 2),
            "ballots": one.ballots,
            "voters": [_voter(site, vote) for site, vote in sorted(votes.get(one.fence, {}).items())],
            "coordinator": one.coordinator,
            "effects": [asdict(effect) for effect in one.effects],
        }
        for one in rounds
    ]


def _voter(site: str, vote: Mapping[str, Any]) -> dict[str, object]:
    kept = ("voter", "ranking", "took_ms", "tool_calls")
    return {"site": site, **{name: vote.get(name) for name in kept}}
